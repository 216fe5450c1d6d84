//! Which columns of a table are features, and which one is the target.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Column, Reading, TableError};

/// The columns of a table, by what they are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The features, in the order in which the network sees them.
    pub features: Vec<Column>,
    /// The target, if there is one.
    pub target: Option<Column>,
    /// How many columns there are, those that are left out among them.
    pub total: usize,
}

impl Columns {
    /// Features without names and a target behind them.
    #[must_use]
    pub fn plain(features: usize) -> Self {
        let column = |place| Column { place, name: None };
        Self { features: (0..features).map(column).collect(), target: Some(column(features)), total: features + 1 }
    }

    /// Features without names, and the target somewhere else.
    pub(super) fn beside(features: usize) -> Self {
        Self { total: features, ..Self::plain(features) }
    }

    /// Sorts the columns of a table out.
    pub(super) fn of(file: &Path, all: &[Column], reading: &Reading<'_>) -> Result<Self, TableError> {
        let drop = reading.drop.iter().map(|asked| find(file, all, asked)).collect::<Result<Vec<_>, _>>()?;
        let named = reading.target.map(|asked| find(file, all, asked)).transpose()?;
        for (i, place) in drop.iter().enumerate() {
            let asked = || reading.drop.get(i).cloned().unwrap_or_default();
            let twice = |other: String| TableError::Twice { file: file.to_owned(), asked: asked(), other };
            if named == Some(*place) {
                return Err(twice("the target".to_owned()));
            }
            if let Some(before) = drop.iter().take(i).position(|before| before == place) {
                return Err(twice(format!("--drop {}", reading.drop.get(before).cloned().unwrap_or_default())));
            }
        }
        if let Some(like) = reading.like {
            return like.again(file, all, named, reading.needs_target);
        }
        let last = all.iter().map(|column| column.place).rfind(|place| !drop.contains(place));
        let target = named.or(last);
        let is_feature = |column: &&Column| Some(column.place) != target && !drop.contains(&column.place);
        let features: Vec<Column> = all.iter().filter(is_feature).cloned().collect();
        if features.is_empty() {
            return Err(TableError::NoFeatures { file: file.to_owned() });
        }
        let target = target.and_then(|place| all.get(place).cloned());
        Ok(Self { features, target, total: all.len() })
    }

    /// The same features in another table: by name where both have names, else by place.
    fn again(
        &self,
        file: &Path,
        all: &[Column],
        target: Option<usize>,
        needs_target: bool,
    ) -> Result<Self, TableError> {
        let (features, own) = match self.by_name(all) {
            Some(found) => (absent(file, all, found)?, self.target_by_name(all)),
            None => {
                let found = self.by_place(file, all)?;
                self.check_names(file, all, &found.0)?;
                found
            }
        };
        let target = target.or(own).filter(|_| needs_target).and_then(|place| all.get(place).cloned());
        if needs_target && target.is_none() {
            return Err(TableError::NoTarget { file: file.to_owned() });
        }
        let features = features.into_iter().filter_map(|place| all.get(place).cloned()).collect();
        Ok(Self { features, target, total: all.len() })
    }

    /// Where the features stand in a table with names, or which one does not; none unless both have names, and each feature's
    /// only once.
    fn by_name(&self, all: &[Column]) -> Option<Vec<Result<usize, String>>> {
        let is_twice = |columns: &[Column], name: &Option<String>| {
            columns.iter().filter(|column| column.name == *name).count() > 1
        };
        let unclear = |feature: &Column| is_twice(&self.features, &feature.name) || is_twice(all, &feature.name);
        if all.iter().any(|column| column.name.is_none()) || self.features.iter().any(unclear) {
            return None;
        }
        let place = |name: &String| all.iter().position(|column| column.name.as_ref() == Some(name));
        let find = |feature: &Column| feature.name.as_ref().map(|name| place(name).ok_or_else(|| name.clone()));
        self.features.iter().map(find).collect()
    }

    /// Names that stand twice do not say which column is which. They must be those of the features then, place by place.
    fn check_names(&self, file: &Path, all: &[Column], places: &[usize]) -> Result<(), TableError> {
        let differ = |(feature, place): (&Column, &usize)| {
            let found = all.get(*place).and_then(|column| column.name.as_ref());
            feature.name.as_ref().zip(found).is_some_and(|(own, found)| own != found)
        };
        if all.iter().any(|column| column.name.is_none()) || !self.features.iter().zip(places).any(differ) {
            return Ok(());
        }
        let count =
            |columns: &[Column], name: &Option<String>| columns.iter().filter(|column| column.name == *name).count();
        let mut names = all.iter().chain(&self.features).map(|column| &column.name);
        let twice = names.find(|name| count(all, name) > 1 || count(&self.features, name) > 1).cloned().flatten();
        Err(TableError::TwoColumns {
            file: file.to_owned(),
            asked: twice.unwrap_or_default(),
            advice: "Give each column a name of its own, or put them in the order and under the names of the training data.",
        })
    }

    fn target_by_name(&self, all: &[Column]) -> Option<usize> {
        let name = self.target.as_ref()?.name.as_ref()?;
        all.iter().position(|column| column.name.as_ref() == Some(name))
    }

    /// Where features and target stand in a table of as many columns, or in one of the features alone, or with a target behind
    /// them.
    fn by_place(&self, file: &Path, all: &[Column]) -> Result<(Vec<usize>, Option<usize>), TableError> {
        let (features, found) = (self.features.len(), all.len());
        if found == features {
            return Ok(((0..features).collect(), None));
        }
        if found == self.total {
            let places = self.features.iter().map(|feature| feature.place).collect();
            return Ok((places, self.target.as_ref().map(|target| target.place).filter(|place| *place < found)));
        }
        if found == features + 1 {
            return Ok(((0..features).collect(), Some(features)));
        }
        Err(TableError::Count { file: file.to_owned(), found, total: self.total, features })
    }
}

/// All places, or an error with what is not there.
fn absent(file: &Path, all: &[Column], found: Vec<Result<usize, String>>) -> Result<Vec<usize>, TableError> {
    let wanted: Vec<String> =
        found.iter().filter_map(|one| one.as_ref().err()).map(|name| format!("`{name}`")).collect();
    if wanted.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    Err(TableError::Absent { file: file.to_owned(), wanted: some(&wanted), columns: names(all) })
}

/// The place of a column that is named, or given by its number.
fn find(file: &Path, all: &[Column], asked: &str) -> Result<usize, TableError> {
    let mut named = all.iter().filter(|column| column.name.as_deref() == Some(asked));
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => {
            return Err(TableError::TwoColumns {
                file: file.to_owned(),
                asked: asked.to_owned(),
                advice: "Give the column by its number, from 1.",
            });
        }
        (Some(column), None) => return Ok(column.place),
        (None, _) => {}
    }
    let number =
        asked.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|place| *place < all.len());
    number.ok_or_else(|| TableError::NoColumn { file: file.to_owned(), asked: asked.to_owned(), columns: names(all) })
}

fn names(all: &[Column]) -> String {
    if all.iter().all(|column| column.name.is_none()) {
        return format!("1 to {}, without names", all.len());
    }
    some(&all.iter().map(|column| format!("`{}`", column.reference())).collect::<Vec<_>>())
}

/// A list that does not fill the screen.
pub(super) fn some(all: &[String]) -> String {
    const MOST: usize = 12;
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > MOST { format!("{shown} and {} more", all.len() - MOST) } else { shown }
}
