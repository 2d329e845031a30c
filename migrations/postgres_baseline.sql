-- What PostgreSQL begins with: the tables as they are in version 0017.

CREATE TABLE apiaccount (
	id SERIAL NOT NULL,
	name VARCHAR COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);
CREATE TABLE batch (
	id SERIAL NOT NULL,
	name VARCHAR COLLATE "C" NOT NULL,
	sheet VARCHAR COLLATE "C" NOT NULL,
	origin VARCHAR COLLATE "C" NOT NULL,
	created_at VARCHAR(32) COLLATE "C" NOT NULL,
	last_run_at VARCHAR(32) COLLATE "C",
	generation INTEGER NOT NULL,
	paused_reason VARCHAR COLLATE "C",
	paused_detail VARCHAR COLLATE "C",
	paused_since VARCHAR(32) COLLATE "C",
	prices JSON DEFAULT '{}' NOT NULL,
	budget BIGINT,
	concurrency INTEGER,
	rate FLOAT,
	dedupe BOOLEAN DEFAULT false NOT NULL,
	looked_at VARCHAR(32) COLLATE "C",
	guards_since VARCHAR(32) COLLATE "C",
	output_dir VARCHAR COLLATE "C",
	upload VARCHAR COLLATE "C",
	PRIMARY KEY (id),
	CONSTRAINT batch_name UNIQUE (name),
	CONSTRAINT batch_paused_reason_and_since CHECK ((paused_reason IS NULL) = (paused_since IS NULL)),
	CONSTRAINT batch_paused_reason CHECK (paused_reason IS NULL OR paused_reason IN ('token', 'balance', 'budget', 'outage', 'disk', 'guard', 'person'))
);
CREATE TABLE identity (
	id SERIAL NOT NULL,
	uid VARCHAR COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_one CHECK (id = 1),
	CONSTRAINT identity_uid CHECK (length(uid) = 32)
);
CREATE TABLE reference (
	id SERIAL NOT NULL,
	sha256 VARCHAR COLLATE "C" NOT NULL,
	path VARCHAR COLLATE "C" NOT NULL,
	bytes INTEGER NOT NULL,
	media_type VARCHAR COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT reference_place UNIQUE (sha256, path),
	CONSTRAINT reference_sha256 CHECK (length(sha256) = 64),
	CONSTRAINT reference_bytes CHECK (bytes > 0)
);
CREATE TABLE settledjournal (
	name VARCHAR COLLATE "C" NOT NULL,
	stamp VARCHAR COLLATE "C" NOT NULL,
	settled_to VARCHAR COLLATE "C",
	PRIMARY KEY (name)
);
CREATE TABLE accountlimit (
	account_id INTEGER NOT NULL,
	model VARCHAR COLLATE "C" NOT NULL,
	in_flight INTEGER NOT NULL,
	ceiling INTEGER,
	found_at VARCHAR(32) COLLATE "C" NOT NULL,
	PRIMARY KEY (account_id, model),
	FOREIGN KEY(account_id) REFERENCES apiaccount (id)
);
CREATE TABLE action (
	id SERIAL NOT NULL,
	action_id VARCHAR COLLATE "C" NOT NULL,
	batch_id INTEGER NOT NULL,
	kind VARCHAR COLLATE "C" NOT NULL,
	told JSON NOT NULL,
	answer JSON NOT NULL,
	done_at VARCHAR(32) COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT action_action_id UNIQUE (action_id),
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE TABLE attempttally (
	batch_id INTEGER NOT NULL,
	outcome VARCHAR COLLATE "C" NOT NULL,
	priced BOOLEAN NOT NULL,
	attempts INTEGER NOT NULL,
	cost_usd BIGINT NOT NULL,
	estimate_usd BIGINT NOT NULL,
	unpriced INTEGER NOT NULL,
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE INDEX attempttally_of_batch ON attempttally (batch_id);
CREATE TABLE changedblock (
	batch_id INTEGER NOT NULL,
	block INTEGER NOT NULL,
	PRIMARY KEY (batch_id, block),
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE TABLE job (
	id SERIAL NOT NULL,
	batch_id INTEGER NOT NULL,
	key VARCHAR COLLATE "C" NOT NULL,
	revision INTEGER NOT NULL,
	folder VARCHAR COLLATE "C" NOT NULL,
	position INTEGER NOT NULL,
	row INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	current BOOLEAN NOT NULL,
	agreed BOOLEAN NOT NULL,
	turn FLOAT DEFAULT '0' NOT NULL,
	model VARCHAR COLLATE "C" NOT NULL,
	fingerprint VARCHAR COLLATE "C" NOT NULL,
	inputs VARCHAR COLLATE "C" NOT NULL,
	pictures INTEGER NOT NULL,
	columns JSON NOT NULL,
	warnings JSON NOT NULL,
	state VARCHAR COLLATE "C" NOT NULL,
	available_at VARCHAR(32) COLLATE "C" NOT NULL,
	attempts INTEGER NOT NULL,
	failed_runs INTEGER NOT NULL,
	same_as INTEGER,
	held JSON CONSTRAINT job_held CHECK (held IS NULL OR NOT agreed),
	authorised INTEGER NOT NULL,
	unproven INTEGER DEFAULT '0' NOT NULL,
	cancel_requested BOOLEAN NOT NULL,
	error_kind VARCHAR COLLATE "C",
	error_code VARCHAR COLLATE "C",
	error_message VARCHAR COLLATE "C",
	created_at VARCHAR(32) COLLATE "C" NOT NULL,
	submitted_at VARCHAR(32) COLLATE "C",
	finished_at VARCHAR(32) COLLATE "C",
	PRIMARY KEY (id),
	CONSTRAINT job_key UNIQUE (batch_id, key, revision),
	CONSTRAINT job_state CHECK (state IN ('queued', 'submitting', 'running', 'fetching', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
	CONSTRAINT job_error_kind CHECK (error_kind IS NULL OR error_kind IN ('refused', 'moderated', 'remote_failed', 'no_images', 'bad_picture', 'blocked', 'expired', 'lost', 'unconfirmed', 'cancelled', 'discarded')),
	CONSTRAINT job_finished_at CHECK ((state IN ('cancelled', 'failed', 'succeeded')) = (finished_at IS NOT NULL)),
	CONSTRAINT job_error CHECK ((state IN ('failed', 'cancelled', 'unconfirmed')) = (error_kind IS NOT NULL)),
	CONSTRAINT job_attempts CHECK (state NOT IN ('submitting', 'running', 'fetching', 'succeeded', 'unconfirmed') OR attempts > 0 OR (state = 'succeeded' AND same_as IS NOT NULL)),
	CONSTRAINT job_same_as CHECK (same_as IS NULL OR (attempts = 0 AND NOT agreed)),
	FOREIGN KEY(batch_id) REFERENCES batch (id),
	FOREIGN KEY(same_as) REFERENCES job (id)
);
CREATE INDEX job_by_held ON job (batch_id) WHERE held IS NOT NULL;
CREATE INDEX job_by_same_as ON job (same_as) WHERE same_as IS NOT NULL;
CREATE INDEX job_by_state ON job (batch_id, state, id);
CREATE INDEX job_by_twin ON job (batch_id, same_as) WHERE same_as IS NOT NULL;
CREATE INDEX job_ended ON job (batch_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX job_folder ON job (batch_id, lower(folder));
CREATE INDEX job_in_sheet_order ON job (batch_id, current, position);
CREATE INDEX job_in_turn ON job (batch_id, state, agreed, turn, id);
CREATE INDEX job_sent ON job (fingerprint) WHERE attempts > 0;
CREATE TABLE jobtally (
	batch_id INTEGER NOT NULL,
	model VARCHAR COLLATE "C" NOT NULL,
	state VARCHAR COLLATE "C" NOT NULL,
	agreed BOOLEAN NOT NULL,
	linked BOOLEAN NOT NULL,
	held BOOLEAN NOT NULL,
	warned BOOLEAN NOT NULL,
	error_kind VARCHAR COLLATE "C" NOT NULL,
	jobs INTEGER NOT NULL,
	pictures INTEGER NOT NULL,
	images INTEGER NOT NULL,
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE INDEX jobtally_of_batch ON jobtally (batch_id);
CREATE TABLE keptmanifest (
	batch_id INTEGER NOT NULL,
	written JSON,
	PRIMARY KEY (batch_id),
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE TABLE run (
	id SERIAL NOT NULL,
	batch_id INTEGER NOT NULL,
	pid INTEGER NOT NULL,
	host VARCHAR COLLATE "C" NOT NULL,
	started_at VARCHAR(32) COLLATE "C" NOT NULL,
	ended_at VARCHAR(32) COLLATE "C",
	exit_code INTEGER,
	PRIMARY KEY (id),
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE TABLE attempt (
	id SERIAL NOT NULL,
	uid VARCHAR COLLATE "C" NOT NULL,
	job_id INTEGER NOT NULL,
	number INTEGER,
	payload_sha256 VARCHAR COLLATE "C" NOT NULL,
	started_at VARCHAR(32) COLLATE "C" NOT NULL,
	answered_at VARCHAR(32) COLLATE "C",
	outcome VARCHAR COLLATE "C" NOT NULL,
	request_id VARCHAR COLLATE "C",
	named_id VARCHAR COLLATE "C",
	answer JSON,
	automatic BOOLEAN NOT NULL,
	urls JSON,
	cost_usd BIGINT,
	estimate_usd BIGINT,
	ended VARCHAR COLLATE "C",
	detail VARCHAR COLLATE "C",
	ended_at VARCHAR(32) COLLATE "C",
	PRIMARY KEY (id),
	CONSTRAINT attempt_uid UNIQUE (uid),
	CONSTRAINT attempt_number UNIQUE (job_id, number),
	CONSTRAINT attempt_request_id UNIQUE (request_id),
	CONSTRAINT attempt_outcome CHECK (outcome IN ('intent', 'accepted', 'refused', 'unanswered', 'resubmitted', 'discarded', 'turned_away')),
	CONSTRAINT attempt_numbered CHECK ((outcome = 'turned_away') = (number IS NULL)),
	CONSTRAINT attempt_accepted CHECK ((outcome = 'accepted') = (request_id IS NOT NULL)),
	CONSTRAINT attempt_request_id_length CHECK (length(request_id) BETWEEN 1 AND 128),
	CONSTRAINT attempt_named_id_length CHECK (length(named_id) BETWEEN 1 AND 128),
	FOREIGN KEY(job_id) REFERENCES job (id)
);
CREATE INDEX attempt_automatic ON attempt (job_id) WHERE automatic;
CREATE INDEX attempt_turned_away ON attempt (job_id) WHERE outcome = 'turned_away';
CREATE INDEX attempt_unanswered ON attempt (job_id) WHERE outcome = 'unanswered';
CREATE TABLE decision (
	id SERIAL NOT NULL,
	job_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	sha256 VARCHAR COLLATE "C",
	verdict VARCHAR COLLATE "C",
	stars INTEGER NOT NULL,
	note VARCHAR COLLATE "C" NOT NULL,
	decided_at VARCHAR(32) COLLATE "C" NOT NULL,
	source VARCHAR COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT decision_image UNIQUE (job_id, number),
	CONSTRAINT decision_sha256 CHECK ((number = 0) = (sha256 IS NULL)),
	CONSTRAINT decision_verdict CHECK (verdict IS NULL OR verdict IN ('accepted', 'rejected', 'reroll')),
	CONSTRAINT decision_stars CHECK (stars BETWEEN 0 AND 5),
	CONSTRAINT decision_says_something CHECK (verdict IS NOT NULL OR stars > 0 OR note != ''),
	CONSTRAINT decision_source CHECK (source IN ('page', 'cli', 'file')),
	FOREIGN KEY(job_id) REFERENCES job (id)
);
CREATE TABLE reroll (
	id SERIAL NOT NULL,
	job_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	prompt VARCHAR COLLATE "C",
	seed VARCHAR COLLATE "C" NOT NULL,
	variants INTEGER NOT NULL,
	inputs_patch JSON NOT NULL,
	sheet VARCHAR COLLATE "C",
	new_keys JSON,
	made_at VARCHAR(32) COLLATE "C",
	PRIMARY KEY (id),
	CONSTRAINT reroll_image UNIQUE (job_id, number),
	CONSTRAINT reroll_seed CHECK (seed IN ('new', 'same') OR (seed != '' AND seed !~ '[^0-9]')),
	CONSTRAINT reroll_variants CHECK (variants BETWEEN 1 AND 8),
	CONSTRAINT reroll_made CHECK ((sheet IS NULL) = (made_at IS NULL) AND (sheet IS NULL) = (new_keys IS NULL)),
	FOREIGN KEY(job_id) REFERENCES job (id)
);
CREATE TABLE artifact (
	id SERIAL NOT NULL,
	job_id INTEGER NOT NULL,
	attempt_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	path VARCHAR COLLATE "C" NOT NULL,
	url VARCHAR COLLATE "C" NOT NULL,
	sha256 VARCHAR COLLATE "C" NOT NULL,
	bytes INTEGER NOT NULL,
	width INTEGER NOT NULL,
	height INTEGER NOT NULL,
	content_type VARCHAR COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT artifact_number UNIQUE (attempt_id, number),
	CONSTRAINT artifact_size CHECK (bytes > 0 AND width > 0 AND height > 0),
	FOREIGN KEY(job_id) REFERENCES job (id),
	FOREIGN KEY(attempt_id) REFERENCES attempt (id)
);
CREATE INDEX artifact_by_job ON artifact (job_id);
CREATE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT OLD.batch_id, OLD.model, OLD.state, OLD.agreed, OLD.same_as IS NOT NULL, OLD.held IS NOT NULL, json_array_length(OLD.warnings) > 0, coalesce(OLD.error_kind, ''), -(1), -(OLD.pictures), -(CASE WHEN OLD.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = OLD.id AND attempt.number = OLD.attempts) ELSE 0 END) WHERE OLD.current; END IF; IF TG_OP <> 'DELETE' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT NEW.batch_id, NEW.model, NEW.state, NEW.agreed, NEW.same_as IS NOT NULL, NEW.held IS NOT NULL, json_array_length(NEW.warnings) > 0, coalesce(NEW.error_kind, ''), (1), (NEW.pictures), (CASE WHEN NEW.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = NEW.id AND attempt.number = NEW.attempts) ELSE 0 END) WHERE NEW.current; END IF; RETURN NULL; END $$;
CREATE TRIGGER job_comes_or_leaves AFTER INSERT OR DELETE ON job FOR EACH ROW EXECUTE FUNCTION count_job();
CREATE TRIGGER job_changes AFTER UPDATE OF batch_id, model, state, agreed, same_as, held, warnings, error_kind, pictures, attempts, current ON job FOR EACH ROW WHEN (OLD.batch_id::text IS DISTINCT FROM NEW.batch_id::text OR OLD.model::text IS DISTINCT FROM NEW.model::text OR OLD.state::text IS DISTINCT FROM NEW.state::text OR OLD.agreed::text IS DISTINCT FROM NEW.agreed::text OR OLD.same_as::text IS DISTINCT FROM NEW.same_as::text OR OLD.held::text IS DISTINCT FROM NEW.held::text OR OLD.warnings::text IS DISTINCT FROM NEW.warnings::text OR OLD.error_kind::text IS DISTINCT FROM NEW.error_kind::text OR OLD.pictures::text IS DISTINCT FROM NEW.pictures::text OR OLD.attempts::text IS DISTINCT FROM NEW.attempts::text OR OLD.current::text IS DISTINCT FROM NEW.current::text) EXECUTE FUNCTION count_job();
CREATE FUNCTION count_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO attempttally (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) SELECT (SELECT batch_id FROM job WHERE id = OLD.job_id), OLD.outcome, OLD.cost_usd IS NOT NULL, -(1), -(coalesce(OLD.cost_usd, 0)), -(coalesce(OLD.estimate_usd, 0)), -(CASE WHEN OLD.cost_usd IS NULL AND OLD.estimate_usd IS NULL THEN 1 ELSE 0 END) WHERE true; END IF; IF TG_OP <> 'DELETE' THEN INSERT INTO attempttally (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) SELECT (SELECT batch_id FROM job WHERE id = NEW.job_id), NEW.outcome, NEW.cost_usd IS NOT NULL, (1), (coalesce(NEW.cost_usd, 0)), (coalesce(NEW.estimate_usd, 0)), (CASE WHEN NEW.cost_usd IS NULL AND NEW.estimate_usd IS NULL THEN 1 ELSE 0 END) WHERE true; END IF; RETURN NULL; END $$;
CREATE TRIGGER attempt_comes_or_leaves AFTER INSERT OR DELETE ON attempt FOR EACH ROW EXECUTE FUNCTION count_attempt();
CREATE TRIGGER attempt_changes AFTER UPDATE OF job_id, outcome, cost_usd, estimate_usd ON attempt FOR EACH ROW WHEN (OLD.job_id::text IS DISTINCT FROM NEW.job_id::text OR OLD.outcome::text IS DISTINCT FROM NEW.outcome::text OR OLD.cost_usd::text IS DISTINCT FROM NEW.cost_usd::text OR OLD.estimate_usd::text IS DISTINCT FROM NEW.estimate_usd::text) EXECUTE FUNCTION count_attempt();
CREATE FUNCTION count_artifact() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT job.batch_id, job.model, job.state, job.agreed, job.same_as IS NOT NULL, job.held IS NOT NULL, json_array_length(job.warnings) > 0, coalesce(job.error_kind, ''), 0, 0, -1 FROM attempt JOIN job ON job.id = attempt.job_id AND job.attempts = attempt.number WHERE attempt.id = OLD.attempt_id AND job.state = 'succeeded' AND job.current; END IF; IF TG_OP <> 'DELETE' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT job.batch_id, job.model, job.state, job.agreed, job.same_as IS NOT NULL, job.held IS NOT NULL, json_array_length(job.warnings) > 0, coalesce(job.error_kind, ''), 0, 0, 1 FROM attempt JOIN job ON job.id = attempt.job_id AND job.attempts = attempt.number WHERE attempt.id = NEW.attempt_id AND job.state = 'succeeded' AND job.current; END IF; RETURN NULL; END $$;
CREATE TRIGGER artifact_comes_or_leaves AFTER INSERT OR DELETE ON artifact FOR EACH ROW EXECUTE FUNCTION count_artifact();
INSERT INTO identity (id, uid) VALUES (1, replace(gen_random_uuid()::text, '-', ''));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0017');
