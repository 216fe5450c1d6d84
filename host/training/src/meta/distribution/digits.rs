//! MNIST, averaged to 7 x 7 or 14 x 14 or as it is: images of 2 to 10 classes, of the first 50,000 training images.

use std::path::Path;

use anyhow::Result;
use lgl2o::Rng;
use lgl2o::shuffle::Shuffle;

use super::random::{weighted, whole};
use super::{Examples, Sources};
use crate::data::{self, Dataset};

/// Images that are drawn from; the later ones are left to those who select by them.
const IMAGES: usize = 50_000;
const CLASSES: usize = 10;

/// Shares of the sizes: a run on the largest one takes longest.
const SHARES: [f32; 3] = [0.4, 0.35, 0.25];

/// The images in three sizes.
#[derive(Debug, Clone)]
pub struct Digits {
    /// 7 x 7, 14 x 14, 28 x 28.
    sizes: [Dataset; 3],
    /// Numbers of the images of each class.
    of_class: Vec<Vec<u32>>,
}

impl Digits {
    /// Loads them from a data directory.
    ///
    /// # Errors
    /// Whatever is wrong with the data.
    pub fn load(dir: &Path) -> Result<Self> {
        let images = data::load_mnist(dir)?.train.subset(0..IMAGES)?;
        Self::of(&images)
    }

    /// All sizes of some images of 28 x 28.
    ///
    /// # Errors
    /// If they are of another size.
    pub fn of(images: &Dataset) -> Result<Self> {
        let mut of_class = vec![Vec::new(); CLASSES];
        for (i, &label) in (0..).zip(images.labels()) {
            of_class[usize::from(label)].push(i);
        }
        Ok(Self { sizes: [images.average_pool(4)?, images.average_pool(2)?, images.clone()], of_class })
    }
}

/// Draws so many images.
///
/// # Panics
/// If the images are not loaded; reading a configuration loads them.
pub fn draw(rng: &mut Rng, rows: usize, sources: &Sources) -> Examples {
    let digits = sources.digits.as_ref().expect("the images are loaded");
    let images = &digits.sizes[weighted(rng, SHARES.into_iter())];
    let order = Shuffle::new(CLASSES as u32, rng);
    let classes = (0..whole(rng, 2, CLASSES) as u32).map(|i| order.at(i) as usize);
    let all: Vec<u32> = classes.flat_map(|class| digits.of_class[class].iter().copied()).collect();
    let order = Shuffle::new(all.len() as u32, rng);
    let mut examples = Examples::new(images.width());
    for i in 0..rows.min(all.len()) as u32 {
        let (image, label) = images.row(all[order.at(i) as usize] as usize);
        examples.inputs.extend_from_slice(image);
        examples.labels.push(label);
    }
    examples
}
