# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of the updater mean (contract 4.2, 7)."""

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils.core_output import Output


def read(*lines, tell=None):
    output = Output(tell)
    for line in lines:
        output.line(line)
    return output


GOOD = ('[START UPDATE]', 'Check rights...OK', 'Create temporary folder...OK', 'Moving files...OK',
        'Update system into : 4.0.1...OK', '***************Jeedom is up to date in 4.0.62***************', '[END UPDATE SUCCESS]')


def test_a_good_run_has_no_problems():
    assert read(*GOOD).problems(0) == []


@pytest.mark.parametrize('line', [
    'Ignore file /tmp/jeedom_unzip/core-4.1.28/a.php because size is 0',
    'Error on move /tmp/a to /var/www/html/a',
    'PHP Fatal error:  Uncaught Error: Call to undefined method jeedom::cleanFileSystemRight()',
    'Check update...***ERREUR*** Impossible',
    'Check jeedom package...***ERROR*** no',
    'gzip: stdout: No space left on device',
])
def test_success_with_a_bad_line_is_no_success(line):
    problems = read(*GOOD[:-1], line, GOOD[-1]).problems(0)
    assert len(problems) == 1 and '1 bad lines' in problems[0]


EMPTY = 'Ignore file /tmp/jeedom_unzip/core-4.4.20///docs/fr_FR/noteVersion.md because size is 0'


@pytest.mark.parametrize('line, bad', [
    (EMPTY, 0), (EMPTY.replace('///', '/'), 0), (f'Moving files...{EMPTY}', 0), (EMPTY.replace('fr_FR', 'es_ES'), 1), (f'{EMPTY} No space left on device', 1),
    (EMPTY.replace('docs/fr_FR/noteVersion.md', 'index.php'), 1), (EMPTY.replace('/tmp/jeedom_unzip/core-4.4.20', '/var/www'), 1)])
def test_a_file_that_is_empty_in_the_release_may_be_passed_over(line, bad):
    output = Output(empty=['docs/fr_FR/noteVersion.md'])
    for each in (*GOOD[:-1], line, GOOD[-1]):
        output.line(each)
    assert output.bad_count == bad and bool(output.problems(0)) == bool(bad)


def test_a_bare_end_means_that_nothing_was_done():
    output = read('[START UPDATE]', 'Update in progress. You need to wait before update', '[END UPDATE]')
    assert output.marker == 'none_done'
    assert 'did not run' in output.problems(0)[0]


def test_the_last_marker_counts():
    assert read('[END UPDATE SUCCESS]', '[START UPDATE]').marker == 'success'
    assert read('[END UPDATE SUCCESS]', 'Details : x[END UPDATE ERROR]').marker == 'error'


def test_an_end_without_marker_is_a_problem_even_with_code_0():
    assert 'without its end line' in read(*GOOD[:-1]).problems(0)[0]


def test_exit_code_and_hang_are_told_with_the_phase():
    assert 'code 255 in phase scripts' in read(*GOOD[:-2]).problems(255)[0]
    assert 'killed' in read(*GOOD[:2]).problems(124)[0]


@pytest.mark.parametrize('lines, rc, problems', [
    (GOOD[:4], 124, ['the updater was killed: it hung or took too long in phase clean', 'the updater ended without its end line']),
    (GOOD[:4], 1, ['the updater ended with code 1 in phase clean', 'the updater ended without its end line']),
    (['[END UPDATE ERROR]'], 0, ['the updater ended with [END UPDATE ERROR]']),
    (['[END UPDATE]'], 0, ['the updater did not run, because it saw another update']),
    ([*GOOD, ' Error on move a ', 'Error on move b'], 0, ['2 bad lines in its output, such as "Error on move a"']),
])
def test_what_keeps_a_run_from_being_good_is_said_in_a_sentence_each(lines, rc, problems):
    assert read(*lines).problems(rc) == problems


def test_a_bad_line_of_any_length_is_cut():
    assert len(read('Error on move ' + 'x' * 5000).bad[0]) == 300


def test_what_has_not_begun_has_lost_nothing():
    output = read()
    assert (output.phase, output.percent, output.marker, output.bad, output.bad_count, output.script_lost) == ('check', 0, None, [], 0, False)


def test_phases_of_v3_come_from_its_texts_and_never_go_back():
    told = []
    read(*GOOD, tell=lambda phase, percent: told.append((phase, percent)))
    assert [phase for phase, dummy in told][:4] == ['check', 'stop', 'unzip', 'clean']
    assert told[-1] == ('end', 100)
    assert [percent for dummy, percent in told] == sorted(percent for dummy, percent in told)


def test_percent_of_v4_comes_from_its_own_lines():
    output = read('[PROGRESS][35]')
    assert output.percent == 35
    output.line('[PROGRESS][5]')
    assert output.percent == 35


def test_only_some_bad_lines_are_kept():
    output = read(*['Error on move x%d' % number for number in range(2000)])
    assert output.bad_count == 2000 and len(output.bad) == 5


def test_a_script_that_died_and_was_passed_over_is_known():
    # contract 4.3: script 4.1.15 on a direct jump
    lines = ['Remove temporary files...OK', 'Update system into : 4.1.15...PHP Fatal error:  Unknown column', 'OK',
             'Update system into : 4.1.16...OK']
    assert read(*lines).script_lost is True


def test_a_script_at_which_the_updater_itself_ended_is_run_again():
    # contract 7: MariaDB stopped; the version is not written, so a second run repeats the script
    assert read('Remove temporary files...OK', 'Update system into : 4.1.15...PHP Fatal error:  Connection was killed',
                '[END UPDATE ERROR]').script_lost is False


def test_a_bad_line_after_the_scripts_is_no_lost_script():
    assert read('Update system into : 4.1.15...OK', 'Check jeedom consistency...', 'PHP Fatal error: x',
                '[END UPDATE SUCCESS]').script_lost is False
