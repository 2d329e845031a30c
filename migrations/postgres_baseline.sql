-- What PostgreSQL begins with: the tables as they are in version 0020.

CREATE TABLE apiaccount (
	id SERIAL NOT NULL,
	name VARCHAR COLLATE "C" NOT NULL,
	in_flight_max INTEGER CONSTRAINT apiaccount_in_flight_max CHECK (in_flight_max > 0),
	gate INTEGER CONSTRAINT apiaccount_gate CHECK (gate > 0),
	per_minute FLOAT CONSTRAINT apiaccount_per_minute CHECK (per_minute > 0),
	budget BIGINT CONSTRAINT apiaccount_budget CHECK (budget >= 0),
	next_at VARCHAR(32) COLLATE "C",
	cool_until VARCHAR(32) COLLATE "C",
	doubted_since VARCHAR(32) COLLATE "C",
	asked_until VARCHAR(32) COLLATE "C",
	PRIMARY KEY (id),
	UNIQUE (name)
);
CREATE TABLE identity (
	id SERIAL NOT NULL,
	uid VARCHAR COLLATE "C" NOT NULL,
	epoch INTEGER DEFAULT 0 NOT NULL,
	holder VARCHAR COLLATE "C",
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
CREATE TABLE runner (
	id SERIAL NOT NULL,
	host VARCHAR COLLATE "C" NOT NULL,
	pid INTEGER NOT NULL,
	machine VARCHAR COLLATE "C",
	begun VARCHAR COLLATE "C",
	version VARCHAR COLLATE "C" NOT NULL,
	note VARCHAR COLLATE "C" NOT NULL,
	batch_id INTEGER,
	since TIMESTAMP WITH TIME ZONE NOT NULL,
	beat_at TIMESTAMP WITH TIME ZONE NOT NULL,
	steady_since TIMESTAMP WITH TIME ZONE NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
	progress_at TIMESTAMP WITH TIME ZONE NOT NULL,
	dead_at TIMESTAMP WITH TIME ZONE,
	why VARCHAR COLLATE "C",
	PRIMARY KEY (id)
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
	account_id INTEGER,
	PRIMARY KEY (id),
	CONSTRAINT batch_name UNIQUE (name),
	CONSTRAINT batch_paused_reason_and_since CHECK ((paused_reason IS NULL) = (paused_since IS NULL)),
	CONSTRAINT batch_paused_reason CHECK (paused_reason IS NULL OR paused_reason IN ('token', 'balance', 'budget', 'outage', 'disk', 'guard', 'person')),
	FOREIGN KEY(account_id) REFERENCES apiaccount (id)
);
CREATE INDEX batch_by_account ON batch (account_id) WHERE account_id IS NOT NULL;
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
	FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE INDEX changedblock_of_batch ON changedblock (batch_id);
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
	runner_id INTEGER,
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
CREATE INDEX job_by_runner ON job (runner_id) WHERE runner_id IS NOT NULL;
CREATE INDEX job_by_same_as ON job (same_as) WHERE same_as IS NOT NULL;
CREATE INDEX job_by_state ON job (batch_id, state, id);
CREATE INDEX job_by_twin ON job (batch_id, same_as) WHERE same_as IS NOT NULL;
CREATE INDEX job_ended ON job (batch_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX job_folder ON job (batch_id, lower(folder));
CREATE INDEX job_in_sheet_order ON job (batch_id, current, position);
CREATE INDEX job_in_turn ON job (batch_id, state, agreed, turn, id);
CREATE INDEX job_sent ON job (fingerprint) WHERE attempts > 0;
CREATE INDEX job_unconfirmed ON job (batch_id, submitted_at) WHERE state = 'unconfirmed';
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
	runner_id INTEGER,
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
CREATE TABLE lastcommit (
	writer VARCHAR PRIMARY KEY,
	number BIGINT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
);
CREATE OR REPLACE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF true THEN IF TG_OP = 'INSERT' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT batch_id, model, state, agreed, linked, held, warned, error_kind, sum(jobs), sum(pictures), sum(images) FROM (SELECT new_rows.batch_id, new_rows.model, new_rows.state, new_rows.agreed, new_rows.same_as IS NOT NULL, new_rows.held IS NOT NULL, json_array_length(new_rows.warnings) > 0, coalesce(new_rows.error_kind, ''), (1), (new_rows.pictures), (CASE WHEN new_rows.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = new_rows.id AND attempt.number = new_rows.attempts) ELSE 0 END) FROM new_rows WHERE new_rows.current) AS changed (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) GROUP BY batch_id, model, state, agreed, linked, held, warned, error_kind HAVING sum(jobs) <> 0 OR sum(pictures) <> 0 OR sum(images) <> 0; ELSIF TG_OP = 'UPDATE' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT batch_id, model, state, agreed, linked, held, warned, error_kind, sum(jobs), sum(pictures), sum(images) FROM (SELECT old_rows.batch_id, old_rows.model, old_rows.state, old_rows.agreed, old_rows.same_as IS NOT NULL, old_rows.held IS NOT NULL, json_array_length(old_rows.warnings) > 0, coalesce(old_rows.error_kind, ''), -(1), -(old_rows.pictures), -(CASE WHEN old_rows.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = old_rows.id AND attempt.number = old_rows.attempts) ELSE 0 END) FROM old_rows WHERE old_rows.current UNION ALL SELECT new_rows.batch_id, new_rows.model, new_rows.state, new_rows.agreed, new_rows.same_as IS NOT NULL, new_rows.held IS NOT NULL, json_array_length(new_rows.warnings) > 0, coalesce(new_rows.error_kind, ''), (1), (new_rows.pictures), (CASE WHEN new_rows.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = new_rows.id AND attempt.number = new_rows.attempts) ELSE 0 END) FROM new_rows WHERE new_rows.current) AS changed (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) GROUP BY batch_id, model, state, agreed, linked, held, warned, error_kind HAVING sum(jobs) <> 0 OR sum(pictures) <> 0 OR sum(images) <> 0; ELSIF TG_OP = 'DELETE' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT batch_id, model, state, agreed, linked, held, warned, error_kind, sum(jobs), sum(pictures), sum(images) FROM (SELECT old_rows.batch_id, old_rows.model, old_rows.state, old_rows.agreed, old_rows.same_as IS NOT NULL, old_rows.held IS NOT NULL, json_array_length(old_rows.warnings) > 0, coalesce(old_rows.error_kind, ''), -(1), -(old_rows.pictures), -(CASE WHEN old_rows.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id WHERE attempt.job_id = old_rows.id AND attempt.number = old_rows.attempts) ELSE 0 END) FROM old_rows WHERE old_rows.current) AS changed (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) GROUP BY batch_id, model, state, agreed, linked, held, warned, error_kind HAVING sum(jobs) <> 0 OR sum(pictures) <> 0 OR sum(images) <> 0; END IF; END IF; RETURN NULL; END $$;
CREATE TRIGGER count_job_insert AFTER INSERT ON job REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_job();
CREATE TRIGGER count_job_update AFTER UPDATE ON job REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_job();
CREATE TRIGGER count_job_delete AFTER DELETE ON job REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_job();
CREATE OR REPLACE FUNCTION count_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF true THEN IF TG_OP = 'INSERT' THEN INSERT INTO attempttally (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) SELECT batch_id, outcome, priced, sum(attempts), sum(cost_usd), sum(estimate_usd), sum(unpriced) FROM (SELECT (SELECT batch_id FROM job WHERE id = new_rows.job_id), new_rows.outcome, new_rows.cost_usd IS NOT NULL, (1), (coalesce(new_rows.cost_usd, 0)), (coalesce(new_rows.estimate_usd, 0)), (CASE WHEN new_rows.cost_usd IS NULL AND new_rows.estimate_usd IS NULL THEN 1 ELSE 0 END) FROM new_rows WHERE true) AS changed (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) GROUP BY batch_id, outcome, priced HAVING sum(attempts) <> 0 OR sum(cost_usd) <> 0 OR sum(estimate_usd) <> 0 OR sum(unpriced) <> 0; ELSIF TG_OP = 'UPDATE' THEN INSERT INTO attempttally (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) SELECT batch_id, outcome, priced, sum(attempts), sum(cost_usd), sum(estimate_usd), sum(unpriced) FROM (SELECT (SELECT batch_id FROM job WHERE id = old_rows.job_id), old_rows.outcome, old_rows.cost_usd IS NOT NULL, -(1), -(coalesce(old_rows.cost_usd, 0)), -(coalesce(old_rows.estimate_usd, 0)), -(CASE WHEN old_rows.cost_usd IS NULL AND old_rows.estimate_usd IS NULL THEN 1 ELSE 0 END) FROM old_rows WHERE true UNION ALL SELECT (SELECT batch_id FROM job WHERE id = new_rows.job_id), new_rows.outcome, new_rows.cost_usd IS NOT NULL, (1), (coalesce(new_rows.cost_usd, 0)), (coalesce(new_rows.estimate_usd, 0)), (CASE WHEN new_rows.cost_usd IS NULL AND new_rows.estimate_usd IS NULL THEN 1 ELSE 0 END) FROM new_rows WHERE true) AS changed (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) GROUP BY batch_id, outcome, priced HAVING sum(attempts) <> 0 OR sum(cost_usd) <> 0 OR sum(estimate_usd) <> 0 OR sum(unpriced) <> 0; ELSIF TG_OP = 'DELETE' THEN INSERT INTO attempttally (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) SELECT batch_id, outcome, priced, sum(attempts), sum(cost_usd), sum(estimate_usd), sum(unpriced) FROM (SELECT (SELECT batch_id FROM job WHERE id = old_rows.job_id), old_rows.outcome, old_rows.cost_usd IS NOT NULL, -(1), -(coalesce(old_rows.cost_usd, 0)), -(coalesce(old_rows.estimate_usd, 0)), -(CASE WHEN old_rows.cost_usd IS NULL AND old_rows.estimate_usd IS NULL THEN 1 ELSE 0 END) FROM old_rows WHERE true) AS changed (batch_id, outcome, priced, attempts, cost_usd, estimate_usd, unpriced) GROUP BY batch_id, outcome, priced HAVING sum(attempts) <> 0 OR sum(cost_usd) <> 0 OR sum(estimate_usd) <> 0 OR sum(unpriced) <> 0; END IF; END IF; RETURN NULL; END $$;
CREATE TRIGGER count_attempt_insert AFTER INSERT ON attempt REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_attempt();
CREATE TRIGGER count_attempt_update AFTER UPDATE ON attempt REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_attempt();
CREATE TRIGGER count_attempt_delete AFTER DELETE ON attempt REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_attempt();
CREATE FUNCTION count_artifact() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT job.batch_id, job.model, job.state, job.agreed, job.same_as IS NOT NULL, job.held IS NOT NULL, json_array_length(job.warnings) > 0, coalesce(job.error_kind, ''), 0, 0, -1 FROM attempt JOIN job ON job.id = attempt.job_id AND job.attempts = attempt.number WHERE attempt.id = OLD.attempt_id AND job.state = 'succeeded' AND job.current; END IF; IF TG_OP <> 'DELETE' THEN INSERT INTO jobtally (batch_id, model, state, agreed, linked, held, warned, error_kind, jobs, pictures, images) SELECT job.batch_id, job.model, job.state, job.agreed, job.same_as IS NOT NULL, job.held IS NOT NULL, json_array_length(job.warnings) > 0, coalesce(job.error_kind, ''), 0, 0, 1 FROM attempt JOIN job ON job.id = attempt.job_id AND job.attempts = attempt.number WHERE attempt.id = NEW.attempt_id AND job.state = 'succeeded' AND job.current; END IF; RETURN NULL; END $$;
CREATE TRIGGER artifact_comes_or_leaves AFTER INSERT OR DELETE ON artifact FOR EACH ROW EXECUTE FUNCTION count_artifact();
CREATE OR REPLACE FUNCTION mark_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM keptmanifest) THEN IF TG_OP = 'INSERT' THEN WITH changed AS (SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM new_rows), told AS (SELECT batch_id, position / 500 AS block FROM changed UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.id OFFSET 0) AS its UNION SELECT batch_id, -1 FROM (SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM new_rows) AS in_all) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'UPDATE' THEN WITH changed AS ((SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM old_rows EXCEPT SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM new_rows) UNION ALL (SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM new_rows EXCEPT SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM old_rows)), told AS (SELECT batch_id, position / 500 AS block FROM changed UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.id OFFSET 0) AS its UNION SELECT batch_id, -1 FROM ((SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM old_rows EXCEPT SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM new_rows) UNION ALL (SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM new_rows EXCEPT SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM old_rows)) AS in_all) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'DELETE' THEN WITH changed AS (SELECT id, batch_id, position, ROW(key, row, model, state, inputs, attempts, error_kind, error_code, error_message, warnings, columns, created_at, submitted_at, finished_at, same_as, current, position)::text AS told FROM old_rows), told AS (SELECT batch_id, position / 500 AS block FROM changed UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.id OFFSET 0) AS its UNION SELECT batch_id, -1 FROM (SELECT batch_id, ROW(model, inputs, columns, same_as, current, position)::text AS told FROM old_rows) AS in_all) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; END IF; END IF; RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION mark_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM keptmanifest) THEN IF TG_OP = 'INSERT' THEN WITH changed AS (SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM new_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'UPDATE' THEN WITH changed AS ((SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM old_rows EXCEPT SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM new_rows) UNION ALL (SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM new_rows EXCEPT SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM old_rows)), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'DELETE' THEN WITH changed AS (SELECT id, job_id, ROW(number, outcome, request_id, cost_usd)::text AS told FROM old_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; END IF; END IF; RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION mark_artifact() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM keptmanifest) THEN IF TG_OP = 'INSERT' THEN WITH changed AS (SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM new_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'UPDATE' THEN WITH changed AS ((SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM old_rows EXCEPT SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM new_rows) UNION ALL (SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM new_rows EXCEPT SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM old_rows)), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'DELETE' THEN WITH changed AS (SELECT id, job_id, ROW(number, path, url, sha256, bytes, width, height, content_type)::text AS told FROM old_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; END IF; END IF; RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION mark_decision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM keptmanifest) THEN IF TG_OP = 'INSERT' THEN WITH changed AS (SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM new_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'UPDATE' THEN WITH changed AS ((SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM old_rows EXCEPT SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM new_rows) UNION ALL (SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM new_rows EXCEPT SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM old_rows)), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; ELSIF TG_OP = 'DELETE' THEN WITH changed AS (SELECT id, job_id, ROW(number, sha256, verdict, stars, note, decided_at, source)::text AS told FROM old_rows), told AS (SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.id IS NOT NULL AND job.id = changed.job_id OFFSET 0) AS its UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN LATERAL (SELECT batch_id, position / 500 AS block FROM job WHERE job.same_as IS NOT NULL AND job.same_as = changed.job_id OFFSET 0) AS its) INSERT INTO changedblock (batch_id, block) SELECT told.batch_id, told.block FROM told JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id; END IF; END IF; RETURN NULL; END $$;
CREATE TRIGGER mark_job_insert AFTER INSERT ON job REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_job();
CREATE TRIGGER mark_job_update AFTER UPDATE ON job REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_job();
CREATE TRIGGER mark_job_delete AFTER DELETE ON job REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_job();
CREATE TRIGGER mark_attempt_insert AFTER INSERT ON attempt REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_attempt();
CREATE TRIGGER mark_attempt_update AFTER UPDATE ON attempt REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_attempt();
CREATE TRIGGER mark_attempt_delete AFTER DELETE ON attempt REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_attempt();
CREATE TRIGGER mark_artifact_insert AFTER INSERT ON artifact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_artifact();
CREATE TRIGGER mark_artifact_update AFTER UPDATE ON artifact REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_artifact();
CREATE TRIGGER mark_artifact_delete AFTER DELETE ON artifact REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_artifact();
CREATE TRIGGER mark_decision_insert AFTER INSERT ON decision REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_decision();
CREATE TRIGGER mark_decision_update AFTER UPDATE ON decision REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_decision();
CREATE TRIGGER mark_decision_delete AFTER DELETE ON decision REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_decision();
INSERT INTO identity (id, uid) VALUES (1, replace(gen_random_uuid()::text, '-', ''));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0020');
