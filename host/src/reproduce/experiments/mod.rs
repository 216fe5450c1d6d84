//! All experiments, a file each: what is run, what is claimed, pictures and words.
//!
//! Parser, help, errors, report and tests come from [`ALL`]. The first six are those of the paper's section 4 in kind ("A Simple
//! Guard for Learned Optimizers", arXiv 2201.12426); `pairs` and `ablation` are this project's own.

mod ablation;
mod against_baselines;
mod data;
mod guards;
mod horizon;
mod in_distribution;
mod networks;
mod pairs;
mod spirals;

use std::path::PathBuf;

use super::experiment::{Experiment, Planned};
use super::tasks::Scale;
use crate::names::unknown;

/// All of them, in the order of the report.
pub static ALL: [Experiment; 8] = [
    in_distribution::EXPERIMENT,
    spirals::EXPERIMENT,
    networks::EXPERIMENT,
    data::EXPERIMENT,
    horizon::EXPERIMENT,
    guards::EXPERIMENT,
    pairs::EXPERIMENT,
    ablation::EXPERIMENT,
];

/// The number of an experiment in the list, by its name or by that number itself.
///
/// # Errors
/// If there is none, with the nearest name.
pub fn find(text: &str) -> Result<usize, String> {
    let numbered = |number: &usize| (1..=ALL.len()).contains(number);
    let named = || ALL.iter().position(|e| e.name == text).map(|index| index + 1);
    let names = || ALL.each_ref().map(|e| e.name);
    text.parse().ok().filter(numbered).or_else(named).ok_or_else(|| unknown("experiment", text, &names()))
}

/// The experiments with these numbers, or all, on MNIST, Spirals and folders of one's own.
#[must_use]
pub fn plan(only: &[usize], folders: &[PathBuf], scale: &Scale) -> Vec<Planned> {
    let all = (1..).zip(&ALL);
    let planned =
        all.map(|(number, experiment)| Planned { number, experiment, parts: (experiment.parts)(scale, folders) });
    planned.filter(|planned| only.is_empty() || only.contains(&planned.number)).collect()
}

/// The list for the help.
#[must_use]
pub fn help() -> String {
    let line = |(number, e): (usize, &Experiment)| format!("  {number}  {:<16} {}: {}\n", e.name, e.title, e.tasks);
    (1..).zip(&ALL).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, hand_made, parse};
    use crate::reproduce::tasks::{Part, TaskPlan};
    use std::collections::{BTreeMap, BTreeSet};

    fn all(quick: bool) -> Vec<Part> {
        let all = plan(&[], &[PathBuf::from("a b/My Digits")], &Scale { seeds: 5, quick });
        all.into_iter().flat_map(|planned| planned.parts).collect()
    }

    #[test]
    fn names_are_unique_found_and_no_numbers() {
        for (i, experiment) in ALL.iter().enumerate() {
            assert_eq!((find(experiment.name), find(&(i + 1).to_string())), (Ok(i + 1), Ok(i + 1)));
            assert!(experiment.name.parse::<usize>().is_err());
            assert!(help().contains(experiment.name) && help().contains(experiment.title));
        }
    }

    #[test]
    fn an_unknown_experiment_is_an_error_that_names_the_nearest() {
        for (text, name) in [("spiral", "spirals"), ("abblation", "ablation"), ("Guards", "guards")] {
            assert!(find(text).unwrap_err().contains(&format!("did you mean `{name}`?")), "{text}");
        }
        for text in ["0", &(ALL.len() + 1).to_string(), "-1", "", "1.0"] {
            assert!(find(text).unwrap_err().contains("known: in-distribution, spirals"), "{text}");
        }
    }

    #[test]
    fn one_key_is_one_task() {
        for quick in [false, true] {
            let mut tasks: BTreeMap<String, TaskPlan> = BTreeMap::new();
            for part in all(quick) {
                assert!(part.steps <= part.task.steps);
                let task = tasks.entry(part.task.key.clone()).or_insert_with(|| part.task.clone());
                assert_eq!(*task, part.task);
            }
            assert!(tasks.contains_key("idx-my-digits"));
        }
    }

    /// Each expression is known, has a rate that the task's own grid search finds, and stands for a method of its own.
    #[test]
    fn every_part_has_optimizers_that_are_known() {
        for part in all(false) {
            assert!(part.task.rules.iter().all(|rule| hand_made::grid(rule).is_some()), "{:?}", part.task.rules);
            let rates = part.task.rules.iter().map(|rule| ((*rule).to_owned(), 1.0)).collect();
            let tuned = Tuned { best: rates, ..Tuned::default() };
            let read = |o: &String| parse(o, &tuned).unwrap_or_else(|error| panic!("{}: {o}: {error}", part.task.key));
            let methods: BTreeSet<String> = part.optimizers.iter().map(|o| format!("{:?}", read(o).method)).collect();
            assert_eq!(methods.len(), part.optimizers.len(), "{:?}", part.optimizers);
        }
    }
}
