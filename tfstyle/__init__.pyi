"""The public names, and the modules that they are loaded from when they are first used."""

from .api.batch import transfer_batch as transfer_batch
from .api.dataset import stylize_dataset as stylize_dataset, stylizer as stylizer
from .api.transfer import (
    explain_transfer as explain_transfer,
    plan_transfer as plan_transfer,
    reconstruct_content as reconstruct_content,
    reconstruct_style as reconstruct_style,
    transfer as transfer,
)
from .config.presets import PRESETS as PRESETS
from .config.transfer import TransferConfig as TransferConfig
from .export.savedmodel import export_extractor as export_extractor, export_transfer as export_transfer
from .feedforward.stylizer import InstantStylizer as InstantStylizer
from .io.encode import save_image as save_image
from .io.images import load_image as load_image
from .io.tfrecords import (
    read_records as read_records,
    write_dataset as write_dataset,
    write_records as write_records,
)
from .losses.keras_losses import (
    ContentLoss as ContentLoss,
    GramMatrix as GramMatrix,
    StyleLoss as StyleLoss,
    TotalVariationLoss as TotalVariationLoss,
)
from .losses.paper import (
    content_loss as content_loss,
    gram_matrix as gram_matrix,
    style_loss as style_loss,
    total_variation as total_variation,
)
from .losses.targets import StyleTargets as StyleTargets
from .losses.terms import ImageTerm as ImageTerm, SummedTerm as SummedTerm, Term as Term
from .reporting import (
    ConsoleReporter as ConsoleReporter,
    NotebookReporter as NotebookReporter,
    ProfileReporter as ProfileReporter,
    Progress as Progress,
    Reporter as Reporter,
    SnapshotReporter as SnapshotReporter,
    TensorBoardReporter as TensorBoardReporter,
)
from .runtime.workshop import Workshop as Workshop, clear_cache as clear_cache
from .synthesis.loop import Result as Result, synthesize as synthesize
from .synthesis.style_targets import style_targets as style_targets
from .synthesis.objective import Objective as Objective
from .synthesis.plan import Plan as Plan
from .vgg import feature_extractor as feature_extractor, normalize_activations as normalize_activations

__version__: str
