//! `lgl2o eval`: how good a model is on a table.

use anyhow::Context as _;

use super::Failure;
use super::predict::{kind, rows};
use super::train::reading;
use crate::cli::EvalArgs;
use crate::data::table::Reading;
use crate::saved::SavedModel;
use crate::say;
use crate::train::page;
use crate::train::score::score;

/// Does it.
pub(super) fn run(args: &EvalArgs) -> Result<(), Failure> {
    let model = SavedModel::read(&args.model)?;
    let reading = Reading { target: args.target.as_deref(), ..reading(&args.table, kind(&model), &args.missing) };
    let mut table = rows(&model, &args.table, reading)?;
    relabel(&mut table, &model)?;
    let score = score(&mut model.model()?, &table).with_context(|| args.table.data.display().to_string())?;
    if table.dropped > 0 {
        say::note(format_args!("{} rows are left out because a value is missing", table.dropped));
    }
    if args.json {
        say::line(serde_json::to_string_pretty(&score.metrics())?);
    } else {
        say::line(page::text(&[("scored".to_owned(), score.metrics())]));
    }
    Ok(())
}

/// A folder of IDX files numbers its classes itself: they must be the model's.
fn relabel(table: &mut crate::data::table::Table, model: &SavedModel) -> anyhow::Result<()> {
    use crate::data::table::Target;
    let Target::Classes { labels, names } = &mut table.target else { return Ok(()) };
    if names.as_slice() == model.classes() {
        return Ok(());
    }
    let place = |name: &String| model.classes().iter().position(|known| known == name);
    let places: Vec<Option<usize>> = names.iter().map(place).collect();
    for label in labels.iter_mut() {
        let place = places.get(usize::from(*label)).copied().flatten().and_then(|place| u8::try_from(place).ok());
        *label = place.with_context(|| format!("the model has no class `{}`", names[usize::from(*label)]))?;
    }
    *names = model.classes().to_vec();
    Ok(())
}
