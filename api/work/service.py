"""All that the service can do, plugged together once over a data folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

from api.clock import Now, SystemClock
from api.identity_settings import IdentityProvider
from api.work.accounts import Accounts
from api.work.audit_book import AuditBook
from api.work.camera_desk import CameraDesk, CameraReach, no_reach
from api.work.case_access import CaseAccess
from api.work.case_sight import WorkTerms
from api.work.casework import CaseWork
from api.work.configuration import FOLDER as SITES_FOLDER
from api.work.configuration import Configuration
from api.work.coverage import CoverageDesk
from api.work.data_folder import review_desk
from api.work.event_feed import EventFeed
from api.work.export_desk import ExportDesk
from api.work.footage import Footage
from api.work.frame_cache import FrameCache
from api.work.health import Health
from api.work.identity import IdentityCheck
from api.work.jobs import FOLDER as JOBS_FOLDER
from api.work.jobs import JobDesk
from api.work.passage_search import PassageSearch
from api.work.passwords import Passwords
from api.work.plate_key import PlateKey
from api.work.register import FOLDER as REGISTER_FOLDER
from api.work.register import Register
from api.work.review import ReviewDesk
from api.work.sign_in import SignIn
from api.work.statistics import StatisticsDesk
from api.work.supervision import Supervision
from evidence.database import Database
from evidence.durable import Disk
from evidence.keys import PublishedKey
from evidence.records_sql import SqlRecords
from evidence.store import PackageStore
from evidence.store_local import LocalStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the API offers, each part one matter; all of them share ``database`` and the clock ``now``."""

    database: Database
    now: Now
    desk: ReviewDesk
    accounts: Accounts
    sign_in: SignIn
    cases: CaseAccess
    work: CaseWork
    supervision: Supervision
    audit: AuditBook
    events: EventFeed
    exports: ExportDesk
    health: Health
    sites: Configuration
    register: Register
    coverage: CoverageDesk
    statistics: StatisticsDesk
    cameras: CameraDesk
    jobs: JobDesk
    passages: PassageSearch
    frames: FrameCache
    identity: IdentityCheck | None = None


def open_service(
    folder: Path,
    records: SqlRecords,
    now: Now,
    store: PackageStore | None = None,
    *,
    hasher: PasswordHasher | None = None,
    keys: Callable[[], Sequence[PublishedKey]] = tuple,
    terms: WorkTerms | None = None,
    reach: Callable[[], CameraReach] = no_reach,
    footage: Path | None = None,
    identity: IdentityProvider | None = None,
) -> Service:
    """The service over the folder's records, and the packages in ``store`` (None: in the folder itself).

    ``keys`` are the office's public ones, which exports hold; ``reach`` says where cameras may be looked at;
    ``footage`` is the folder that runs may read; ``identity`` is who else may say who somebody is. Raises ExtraMissingError.
    """
    identity_check = None if identity is None else IdentityCheck(identity, now)
    database = records.database
    held = LocalStore(folder, Disk()) if store is None else store
    desk = review_desk(folder, records, now, held)
    work = CaseWork(database, now, WorkTerms() if terms is None else terms, desk.confirm_bar, desk.keep)
    passwords = Passwords(hasher)
    plates = PlateKey(folder)
    cases = CaseAccess(database, plates, now)
    sites = Configuration(database, now, folder / SITES_FOLDER)
    sites.deliver_all()
    jobs = JobDesk(database, sites, Footage(footage), folder / JOBS_FOLDER, now)
    jobs.recover()
    return Service(
        database=database,
        now=now,
        desk=desk,
        accounts=Accounts(database, passwords, now),
        sign_in=SignIn(database, passwords, now),
        cases=cases,
        work=work,
        supervision=Supervision(work),
        audit=AuditBook(database),
        events=EventFeed(database),
        exports=ExportDesk(folder, records, cases, held, keys, now),
        health=Health(folder, database, held, now),
        sites=sites,
        register=Register(database, now, folder / REGISTER_FOLDER),
        coverage=CoverageDesk(database, now),
        statistics=StatisticsDesk(database, now),
        cameras=CameraDesk(database, sites, reach, SystemClock(), now),
        jobs=jobs,
        passages=PassageSearch(folder, database, plates, now),
        frames=FrameCache(),
        identity=identity_check,
    )
