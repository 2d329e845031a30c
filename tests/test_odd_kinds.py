"""Kinds of sheets, machines and first hours that people really have, each with the test that shows its end.

docs/sheets.md says what happens to a sheet; this table is where a kind that is found anew gets its line.
"""

from collections import Counter

from tests.test_failure_matrix import names_in

KINDS = {
    "tests/matrix/test_second_witness.py": {
        "one database under two names": "test_a_second_name",
    },
    "tests/unit/jobs/store/sqlite/test_one_name.py": {
        "only the database's file is mounted": "test_a_file_that_is_a_mount_point",
    },
    "tests/unit/jobs/sheets/test_odd_sheets.py": {
        "cells merged down over rows": "test_merged_cells_hold_for_all_their_rows",
        "cells merged over columns": "test_a_cell_merged_over_columns_is_told",
        "rows and columns that are hidden or filtered": "test_hidden_rows_and_columns_are_told",
        "worksheets beside the first": "test_worksheets_that_are_not_read_are_told",
        "a sentence that a comma cut": "test_a_sentence_that_a_comma_cut_is_told",
        "no prompt at all": "test_a_prompt_that_nobody_means_is_a_problem",
        "errors through a name in braces": "test_what_a_name_puts_into_a_prompt_is_looked_at",
        "what another program would have read": "test_a_prompt_that_may_be_meant_is_warned_of",
        "ordinary prompts are left alone": "test_an_ordinary_prompt_is_not_warned_of",
        "a name in braces that no column has": "test_a_name_that_no_column_has_is_told",
        "an error as an id": "test_an_id_that_is_an_error_is_a_problem",
        "a title above the header; no header": "test_a_title_above_the_header_is_told",
        "YAML's comment in a text": "test_a_text_that_a_comment_ends_is_told",
        "inputs under other words": "test_an_input_by_the_word_of_another_program_or_language_is_told",
        "a column of sizes under any name": "test_a_column_of_sizes_is_told_whatever_its_name",
        "a header in another language": "test_headings_that_only_another_language_knows_are_translated",
        "prompts under another heading": "test_prompts_under_another_name",
        "headings near a known name": "test_a_word_of_its_own_is_nobody_s_slip",
        "objects, lists, structs and bytes in own columns": "test_own_columns_hold_anything",
        "JSON and JSON Lines": "test_the_same_two_prompts",
        "a list of prompts in a document": "test_prompts_that_are_neither_are_told_once",
        "a text file that is another format": "test_a_text_file_that_looks_like_another_format_is_told",
        "lines of a text file that go on": "test_a_line_of_text_that_goes_on_is_told",
        "addresses joined by comma, semicolon or blank": "test_addresses_that_are_joined_are_several",
        "addresses joined by nothing": "test_two_addresses_that_stand_as_one_are_a_problem",
        "an address that ran out": "test_an_address_that_has_run_out_is_told",
        "an address of a page": "test_an_address_of_a_page_is_told",
        "a seed of -1": "test_a_seed_of_minus_one_is_told",
        "a family of models": "test_a_family_of_models_is_none_of_them",
    },
    "tests/unit/jobs/sheets/readers/test_csv_quotes.py": {
        "a blank before a quote; curly and single quotes": "test_quotes_that_keep_nothing_together_are_told",
        "an open quote": "test_a_cell_over_several_lines_is_told_where_its_neighbours_have_one",
        "the end mark of DOS": "test_the_end_mark_of_an_old_file_is_no_row",
        "the header once more": "test_the_header_once_more_is_told",
        "Excel's sign for a text": "test_the_sign_that_a_cell_is_text_is_taken_off",
        "a quote at the start of a TSV line": "test_tabs_need_no_quotes",
    },
    "tests/unit/jobs/sheets/files/test_decode.py": {
        "--encoding against the bytes": "test_an_encoding_that_the_bytes_contradict_is_told",
        "bytes of an unknown encoding": "test_how_a_word_would_read_in_each_encoding_is_told",
    },
    "tests/unit/runner/cli/commands/test_check.py": {
        "columns that are not sent": "test_columns_that_are_not_sent_are_named",
        "a sheet from another program's pipe": "test_standard_input_is_a_sheet",
        "check refuses what run refuses": "test_it_refuses_what_run_refuses",
        "one cause with many rows": "test_many_problems_of_few_causes_are_few_blocks",
    },
    "tests/process/test_sheets.py": {
        "public prompt sets": "test_a_prompt_set_runs_with_one_option",
    },
    "tests/unit/jobs/sheets/test_styles.py": {
        "styles of a web UI": "test_without_a_subject_a_style_is_its_own_words",
    },
    "tests/unit/jobs/images/test_image_shape.py": {
        "a large text or profile in a PNG": "test_a_png_may_hold_a_large_note",
    },
    "tests/unit/jobs/images/test_image_notes.py": {
        "a broken EXIF": "test_a_png_is_taken_whatever_its_notes_are",
    },
    "tests/process/test_machine.py": {
        "Pillow's own warnings": "test_what_pillow_finds_odd_stays_off_the_terminal",
        "SSLKEYLOGFILE": "test_a_key_log_is_neither_written_nor_missed",
        "closed standard streams": "test_a_closed_standard_stream_changes_nothing",
        "a current folder that is gone": "test_a_current_folder_that_is_gone_is_named",
        "a loop of links": "test_a_link_that_leads_to_itself_is_named",
        "few file handles": "test_few_open_files_slow_a_run_down_and_fail_nothing",
        "modules with our packages' names": "test_a_module_of_the_same_name_is_in_nobody_s_way",
    },
    "tests/matrix/test_certificate.py": {
        "a company's own certificates": "test_a_company_s_authority_is_taken_from_a_setting",
    },
    "tests/unit/runner/test_run_moved.py": {
        "an output folder or project that moved": "test_an_output_folder_that_was_moved",
    },
    "tests/unit/runner/cli/test_known_rows.py": {
        "the sheet from another folder": "test_another_folder_is_told_of_the_database_beside_the_sheet",
    },
    "tests/unit/jobs/images/test_stored_files.py": {
        "pictures that are gone": "test_what_a_job_lacks_is_named",
    },
    "tests/unit/runner/test_run_trouble.py": {
        "an outage from the start": "test_an_outage_at_the_start_is_shown_from_the_first_second",
    },
    "tests/process/test_terminal.py": {
        "problems at 80 columns": "test_thirty_problems",
        "status --watch keeps its height": "test_status_watch",
        "a second Ctrl-C": "test_ctrl_c_twice",
    },
    "tests/unit/runner/cli/test_commands_in_texts.py": {
        "hints that can be pasted": "test_a_command_is_completed",
    },
    "tests/unit/runner/cli/commands/test_jobs.py": {
        "an export's ending that is not written": "test_an_ending_that_is_not_written_is_refused",
        "jobs with prompt, cost and own columns": "test_columns_of_choice",
    },
    "tests/unit/runner/cli/commands/test_cancel.py": {
        "a batch that nobody named": "test_a_batch_that_nobody_named_is_named",
    },
    "tests/unit/runner/cli/commands/test_emulator.py": {
        "lines of the emulator to paste": "test_it_serves_until_it_is_told_to_stop",
    },
    "tests/unit/runner/cli/steps/test_summary_files.py": {
        "status in the morning": "test_it_says_what_status_says",
    },
    "tests/unit/runner/cli/commands/test_batches.py": {
        "all batches": "test_for_a_person",
    },
    "tests/unit/runner/cli/commands/test_tune.py": {
        "a budget taken back": "test_none_takes_it_back",
    },
    "tests/unit/runner/cli/console/test_progress.py": {
        "a log with its days": "test_each_line_says_its_day_and_the_place_of_its_time",
        "a bar without colours": "test_a_bar_without_colours_has_an_end",
    },
    "tests/unit/runner/cli/test_app.py": {
        "help of a first run": "test_what_a_newcomer_needs_stands_on_the_first_screen",
        "types of Python in help": "test_no_help_shows_a_type_of_python",
    },
    "tests/unit/runner/cli/commands/test_models.py": {
        "models with prices": "test_the_prices_of_the_last_run_and_of_the_settings",
    },
    "tests/unit/runner/cli/commands/test_init.py": {
        "a first sheet": "test_a_sheet_for_each_model_is_taken",
    },
    "tests/unit/runner/cli/commands/test_doctor.py": {
        "what a night needs": "test_a_problem_ends_with_1",
    },
    "tests/unit/runner/test_library.py": {
        "a night from Python": "test_the_program_of_the_page",
    },
    "tests/unit/runner/cli/test_plain_english.py": {
        "phrases that are gone": "test_phrases_that_are_gone_stay_gone",
    },
    "tests/process/test_readme.py": {
        "a newcomer's own sheet by the README": "test_a_newcomer_s_own_rows_come_to_pictures",
    },
}
"""By the file of the test: the kind, and the test."""


def test_every_kind_has_a_test_that_is_there() -> None:
    """By its file and its name; a test that is renamed takes its line along."""
    gone = [
        f"{kind}: {path}::{name}"
        for path, kinds in KINDS.items()
        for kind, name in kinds.items()
        if name not in names_in(path)
    ]
    assert gone == []


def test_no_test_stands_for_two_kinds() -> None:
    """Else one of them would probably be shown by nothing."""
    named = Counter((path, name) for path, kinds in KINDS.items() for name in kinds.values())
    assert [test for test, times in named.items() if times > 1] == []
