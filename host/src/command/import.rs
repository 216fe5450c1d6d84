//! `lgl2o import`: a model out of weights from PyTorch or Keras, or out of an ONNX file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use lgl2o::objective::mlp::Activation;

use super::Failure;
use super::export::check_place;
use super::train::MODEL;
use crate::cli::ImportArgs;
use crate::container::bytes_of;
use crate::data::table::class_name;
use crate::files::write_atomically;
use crate::first_bytes;
use crate::network::image::Area;
use crate::network::series::{Kind, Steps};
use crate::output::Output;
use crate::saved::tensors::{Unsaid, import};
use crate::saved::{Output as Answer, SavedModel, onnx};
use crate::say;

/// Does it.
pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    check(args).map_err(Failure::Usage)?;
    let out = Output::claim_files(&args.out.clone().unwrap_or_else(|| PathBuf::from("out/import")))?;
    let path = out.dir().join(MODEL);
    check_place(&out, MODEL, args.force)?;
    out.spares(&[MODEL], &[Some(&args.from)])?;
    let model = model(args)?;
    write_atomically(&path, &model.to_bytes())?;
    let answers = match &model.output {
        Answer::Classes(names) => format!("classes {}", names.join(", ")),
        Answer::Value => "a value".to_owned(),
    };
    say::line(format_args!("network {}, {answers}", model.shape()));
    if let Some(words) = model.by_value().first().and_then(|layer| row(layer.kind)) {
        say::line(words);
    }
    say::line(format_args!("model: {}", path.display()));
    Ok(())
}

/// What a row of a network on a series or an image is.
fn row(kind: Kind) -> Option<String> {
    let of = |channels| if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") };
    if let Some(Steps { time, channels }) = kind.steps() {
        return Some(format!("a row is {time} times of {}, all channels of one time after the other", of(channels)));
    }
    kind.on_image().map(|(_, Area { height, width, channels, .. })| {
        format!(
            "a row is {height} rows of {width} pixels of {}, all channels of one pixel after the other",
            of(channels)
        )
    })
}

/// Each name stands once: two of the same could not be told apart.
fn check(args: &ImportArgs) -> Result<()> {
    if is_onnx(args) && !args.order.is_empty() {
        bail!("--order: an ONNX file holds the order of its layers. Leave --order out");
    }
    if is_onnx(args) && args.network.is_some() {
        bail!("--network: an ONNX file holds its layers. Leave --network out");
    }
    for (flag, names) in [("--classes", &args.classes), ("--features", &args.features), ("--order", &args.order)] {
        for (i, name) in names.iter().enumerate() {
            if name.is_empty() {
                bail!("{flag}: name {} is empty; names are separated by commas, as in a,b,c", i + 1);
            }
            if names[..i].contains(name) {
                bail!("{flag}: `{name}` is listed twice. Give each its own name");
            }
            let same = |other: &&String| flag == "--classes" && class_name(other) == class_name(name);
            if let Some(other) = names[..i].iter().find(same) {
                bail!(
                    "{flag}: `{other}` and `{name}` are the same number, and tables could not tell them apart. Give each its own name"
                );
            }
        }
    }
    Ok(())
}

/// Whether the file is to be read as ONNX, by its name.
fn is_onnx(args: &ImportArgs) -> bool {
    args.from.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

fn model(args: &ImportArgs) -> Result<SavedModel> {
    let bytes = bytes_of(&args.from)?;
    let (what, shown) = (first_bytes::name(&bytes), args.from.display());
    match is_onnx(args) {
        true if !first_bytes::is_unknown(what) => {
            bail!("{shown} is no ONNX file: it is {what}. Name one that torch.onnx.export has written")
        }
        false if !first_bytes::is_unknown(what) && what != first_bytes::TENSORS => {
            bail!("{shown} is no file of safetensors: it is {what}. Name one that save_file has written")
        }
        _ => {}
    }
    let unsaid = Unsaid {
        hidden: args.activation.unwrap_or(Activation::Relu),
        classes: (!args.classes.is_empty()).then_some(args.classes.as_slice()),
        regression: args.regression,
        order: &args.order,
        standardizer: (!args.mean.is_empty()).then(|| [args.mean.clone(), args.deviation.clone()]),
        network: args.network.as_ref().map(|network| network.0.as_slice()),
    };
    let context = || format!("cannot use {}", args.from.display());
    let mut model = if is_onnx(args) {
        let folder = args.from.parent().unwrap_or_else(|| Path::new(""));
        onnx::import(&bytes, folder, &unsaid).with_context(context)?
    } else {
        import(&bytes, &unsaid).with_context(context)?
    };
    let (last, hidden) = model.layers().split_last().context("a network has a layer")?;
    let differs = |asked: &Activation| hidden.iter().any(|layer| layer.activation != *asked);
    if args.activation.as_ref().is_some_and(differs) {
        bail!("--activation: {} holds its activations, {}. Leave --activation out", args.from.display(), model.shape());
    }
    if args.regression && model.output != Answer::Value {
        bail!("--regression: {} holds {} classes. Leave --regression out", args.from.display(), last.outputs);
    }
    if !args.features.is_empty() {
        let features = &mut model.columns.features;
        if features.len() != args.features.len() {
            bail!("--features has {} names; the network takes {} features", args.features.len(), features.len());
        }
        features.iter_mut().zip(&args.features).for_each(|(column, name)| column.name = Some(name.clone()));
    }
    Ok(model)
}
