"""Meridian, the made-up company: its teams, services, and the pools its machines come from."""

from __future__ import annotations

from dataclasses import dataclass

AWS_ACCOUNT = "210987654321"
GCP_PROJECT = "meridian-prod-1"
AZURE_SUBSCRIPTION = "6f1f2c84-53d1-4c0e-9a53-2d1b7c1e8a40"
ACCOUNTS = {"aws": AWS_ACCOUNT, "gcp": GCP_PROJECT, "azure": AZURE_SUBSCRIPTION}

TEAMS = {
    "platform": "Platform",
    "checkout": "Checkout",
    "search": "Search and ranking",
    "data": "Data platform",
    "media": "Media",
    "machine-learning": "Machine learning",
    "research": "Quantitative research",
    "edge": "Edge delivery",
}


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """One type of machine in one zone."""

    provider: str
    region: str
    zone: str
    instance_type: str
    vcpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """A service, the machines it keeps, and how often spot takes one (reclaims a machine a week)."""

    slug: str
    name: str
    team: str
    kind: str
    criticality: str
    statefulness: str
    pools: tuple[PoolPlan, ...]
    spot: int
    on_demand: int = 0
    warm: int = 0
    replicas: int = 2
    """Replicas a machine carries."""
    weekly_rate: float = 0.035
    need: float = 0.45
    """The share of its replicas below which it hurts; most could lose their largest pool."""
    about: str = ""

    @property
    def size(self) -> int:
        return self.spot + self.on_demand + self.warm

    @property
    def wanted(self) -> int:
        """Replicas wanted; warm machines carry none."""
        return (self.spot + self.on_demand) * self.replicas

    @property
    def weekly_reclaims(self) -> float:
        """Of all its machines together."""
        return self.spot * self.weekly_rate

    @property
    def needed(self) -> int:
        """Replicas below which the service hurts."""
        return max(1, round(self.wanted * self.need))


def _pools(provider: str, places: str, types: str) -> tuple[PoolPlan, ...]:
    """`us-east-1b us-east-1c`, `m6i.xlarge/4 m7i.xlarge/4`: every type in every zone."""
    plans = []
    for place in places.split():
        region, _, zone = place.partition(":")
        for kind in types.split():
            name, _, vcpus = kind.partition("/")
            plans.append(PoolPlan(provider, region, zone, name, int(vcpus)))
    return tuple(plans)


_M6I = _pools("aws", "us-east-1:us-east-1b us-east-1:us-east-1c", "m6i.xlarge/4")
_GENERAL = _pools("aws", "eu-west-1:eu-west-1a eu-west-1:eu-west-1b", "m6i.xlarge/4 m7g.xlarge/4")
_COMPUTE = _pools("aws", "us-east-1:us-east-1a us-east-1:us-east-1c", "c6i.4xlarge/16 c7i.4xlarge/16")
_MEMORY = _pools("aws", "eu-west-1:eu-west-1b eu-west-1:eu-west-1c", "r6i.2xlarge/8 r7g.2xlarge/8")
_GPU = _pools("aws", "us-east-1:us-east-1c us-west-2:us-west-2b", "g5.12xlarge/48 p4d.24xlarge/96")
_GCP = _pools("gcp", "europe-west4:europe-west4-a europe-west4:europe-west4-b", "n2-standard-8/8")
_GCP_HPC = _pools("gcp", "us-central1:us-central1-a us-central1:us-central1-f", "c2-standard-30/30")
_AZURE = _pools("azure", "westeurope:1 westeurope:2", "Standard_D8s_v5/8")
_AZURE_EDGE = _pools("azure", "northeurope:1 uksouth:1 francecentral:2", "Standard_D4s_v5/4")

SERVICES: tuple[ServicePlan, ...] = (
    ServicePlan(
        slug="checkout-workers", name="Checkout workers", team="checkout", kind="queue_workers",
        criticality="critical", statefulness="stateless", pools=_M6I, spot=26, on_demand=6, warm=2, need=0.75,
        about="Takes orders from the queue, reserves stock, asks for the payment.",
    ),
    ServicePlan(
        slug="payment-capture", name="Payment capture", team="checkout", kind="queue_workers",
        criticality="critical", statefulness="stateful", pools=_GENERAL, spot=4, on_demand=8,
        weekly_rate=0.015, about="Captures authorised payments. Mostly on demand, on purpose.",
    ),
    ServicePlan(
        slug="order-events", name="Order events", team="checkout", kind="queue_workers",
        criticality="user_facing", statefulness="stateless", pools=_M6I, spot=18, on_demand=2,
    ),
    ServicePlan(
        slug="storefront-canary", name="Storefront canary", team="checkout", kind="canary",
        criticality="user_facing", statefulness="stateless", pools=_GENERAL, spot=4, on_demand=2, replicas=1,
    ),
    ServicePlan(
        slug="search-serving", name="Search serving", team="search", kind="queue_workers",
        criticality="user_facing", statefulness="stateless", pools=_M6I, spot=20, on_demand=8, warm=2, need=0.75,
    ),
    ServicePlan(
        slug="search-indexer", name="Search indexer", team="search", kind="batch_etl",
        criticality="batch", statefulness="batch", pools=_MEMORY, spot=14, on_demand=2,
    ),
    ServicePlan(
        slug="ranking-canary", name="Ranking canary", team="search", kind="canary",
        criticality="best_effort", statefulness="stateless", pools=_GENERAL, spot=4, replicas=1,
    ),
    ServicePlan(
        slug="clickstream-etl", name="Clickstream ETL", team="data", kind="batch_etl",
        criticality="batch", statefulness="batch", pools=_M6I, spot=22, on_demand=2,
    ),
    ServicePlan(
        slug="finance-ledger-etl", name="Finance ledger ETL", team="data", kind="batch_etl",
        criticality="critical", statefulness="batch", pools=_MEMORY, spot=6, on_demand=4, weekly_rate=0.015,
        about="Closes the books every night; a lost run is a late morning for finance.",
    ),
    ServicePlan(
        slug="warehouse-loader", name="Warehouse loader", team="data", kind="batch_etl",
        criticality="best_effort", statefulness="batch", pools=_GCP, spot=10,
    ),
    ServicePlan(
        slug="trino-analytics", name="Trino analytics", team="data", kind="analytics",
        criticality="user_facing", statefulness="stateful", pools=_MEMORY, spot=16, on_demand=4,
    ),
    ServicePlan(
        slug="spark-adhoc", name="Spark ad hoc", team="data", kind="analytics",
        criticality="best_effort", statefulness="batch", pools=_GCP, spot=14,
    ),
    ServicePlan(
        slug="video-transcoding", name="Video transcoding", team="media", kind="transcoding",
        criticality="user_facing", statefulness="batch", pools=_COMPUTE, spot=24, on_demand=4, warm=2,
    ),
    ServicePlan(
        slug="thumbnailer", name="Thumbnailer", team="media", kind="transcoding",
        criticality="best_effort", statefulness="stateless", pools=_AZURE, spot=8,
    ),
    ServicePlan(
        slug="live-captions", name="Live captions", team="media", kind="queue_workers",
        criticality="user_facing", statefulness="stateless", pools=_AZURE, spot=8, on_demand=4,
    ),
    ServicePlan(
        slug="recommender-training", name="Recommender training", team="machine-learning", kind="ml_training",
        criticality="batch", statefulness="batch", pools=_GPU, spot=16, on_demand=2, replicas=1,
        weekly_rate=0.5, about="Checkpoints to object storage every 20 minutes.",
    ),
    ServicePlan(
        slug="vision-training", name="Vision training", team="machine-learning", kind="ml_training",
        criticality="best_effort", statefulness="batch", pools=_GPU, spot=10, replicas=1, weekly_rate=0.65,
        need=0.8,
    ),
    ServicePlan(
        slug="feature-backfill", name="Feature backfill", team="machine-learning", kind="batch_etl",
        criticality="best_effort", statefulness="batch", pools=_GCP, spot=8,
    ),
    ServicePlan(
        slug="ml-notebooks", name="Notebooks for machine learning", team="machine-learning", kind="notebooks",
        criticality="best_effort", statefulness="stateful", pools=_GENERAL, spot=8, on_demand=2, replicas=3,
    ),
    ServicePlan(
        slug="research-notebooks", name="Research notebooks", team="research", kind="notebooks",
        criticality="best_effort", statefulness="stateful", pools=_GCP, spot=6, replicas=3,
    ),
    ServicePlan(
        slug="cfd-simulation", name="CFD simulation", team="research", kind="simulation",
        criticality="batch", statefulness="batch", pools=_GCP_HPC, spot=18, replicas=1,
    ),
    ServicePlan(
        slug="montecarlo-risk", name="Monte Carlo risk", team="research", kind="simulation",
        criticality="critical", statefulness="batch", pools=_COMPUTE, spot=12, on_demand=4,
    ),
    ServicePlan(
        slug="ci-runners", name="CI runners", team="platform", kind="ci_runners",
        criticality="user_facing", statefulness="stateless", pools=_M6I, spot=22, on_demand=4, replicas=4, need=0.7,
    ),
    ServicePlan(
        slug="release-builders", name="Release builders", team="platform", kind="ci_runners",
        criticality="batch", statefulness="stateless", pools=_AZURE, spot=6, on_demand=2,
    ),
    ServicePlan(
        slug="edge-cache", name="Edge cache", team="edge", kind="edge",
        criticality="critical", statefulness="stateless", pools=_AZURE_EDGE, spot=20, on_demand=8,
    ),
)  # fmt: skip

STRAYS = ServicePlan(
    slug="", name="Nobody's machines", team="", kind="queue_workers", criticality="best_effort",
    statefulness="stateless", pools=_GENERAL, spot=2, on_demand=0, weekly_rate=0.03,
)  # fmt: skip
"""Machines without the tag that every rule asks for: they show up as unattributed."""
