from pathlib import Path

import pytest

from trueup.domain.monitor_settings import Store
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import open_state, open_stores


def test_one_monitor_at_a_time_uses_a_store_and_commands_beside_it(store: Store, tmp_path: Path) -> None:
    other = tmp_path / ("data" if store.address is None else "other")
    stores = open_stores(tmp_path / "data", store)
    with pytest.raises(StoreFailed, match="another trueup runs on") as refused:
        open_stores(other, store)
    assert refused.value.reason is Reason.LOCKED
    open_state(other, store).close()
    stores.close()
    stores.close()
    open_stores(other, store).close()
