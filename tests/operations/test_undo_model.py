"""Random changes of all kinds, undone in random and in reverse order, against a model of plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.racing import TORTURE
from rig.undo_model import MANY, Chooser, Members, World, Yard, opened_world

pytestmark = pytest.mark.timeout(3600 if TORTURE else 120)


@pytest.fixture(scope="module")
def world(migrated_database: Callable[[], str]) -> Iterator[World]:
    with opened_world(migrated_database()) as opened:
        yield opened


@MANY
@given(data=st.data())
def test_changes_and_undos_in_any_order_agree_with_the_model(world: World, data: st.DataObject) -> None:
    yard = Yard(world)
    chooser = Chooser(yard, data)
    for _ in range(data.draw(st.integers(4, 20))):
        if data.draw(st.integers(0, 2)) == 0:
            chooser.undo()
        else:
            chooser.change(may_erase=True)
        yard.agree()
    yard.check_up()


@MANY
@given(data=st.data())
def test_changes_undone_in_reverse_order_restore_every_state_before(world: World, data: st.DataObject) -> None:
    yard = Yard(world)
    chooser = Chooser(yard, data)
    states: list[Members] = [{audience: {} for audience in yard.audiences}]
    made: list[str] = []
    for _ in range(data.draw(st.integers(2, 10))):
        chooser.change(may_erase=False)
        new = [each for each in yard.model.past if each not in made]
        if new:
            made += new
            states.append({audience: dict(found) for audience, found in yard.model.shown.items()})
    undone: list[str] = []
    for change_id, before in zip(reversed(made), reversed(states[:-1]), strict=True):
        undo_id = yard.undo(change_id, skip_changed=False)
        assert undo_id is not None
        undone.append(undo_id)
        yard.agree()
        assert yard.model.shown == before
    yard.check_up()
    # And the undos, in reverse order again.
    for undo_id, after in zip(reversed(undone), states[1:], strict=True):
        assert yard.undo(undo_id, skip_changed=False) is not None
        yard.agree()
        assert yard.model.shown == after
    yard.check_up()
