//! What is to be said of labels that are read without an error, and from which less can be learned, or told, than it seems.

use super::DataSets;

impl DataSets {
    /// What is to be said of these data, a sentence each; mostly nothing.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let classes: Vec<String> = (0..self.train.classes()).map(|class| class.to_string()).collect();
        let all = of_labels(self.train.labels(), self.test.labels(), &classes);
        all.into_iter().map(|remark| format!("{}: {remark}", self.name)).collect()
    }
}

/// What is to be said of the labels of rows to train on and to test on.
#[must_use]
pub fn of_labels(train: &[u8], test: &[u8], classes: &[String]) -> Vec<String> {
    let is_in = |labels: &[u8]| {
        let mut is_in = [false; 256];
        labels.iter().for_each(|label| is_in[usize::from(*label)] = true);
        is_in
    };
    let (trained, tested) = (is_in(train), is_in(test));
    let untrained: Vec<String> =
        (0..classes.len()).filter(|&i| tested[i] && !trained[i]).map(|i| format!("`{}`", classes[i])).collect();
    let known = (0..classes.len()).filter(|&i| tested[i] || trained[i]).count();
    let mut remarks = Vec::new();
    if let Some((first, rest)) = test.split_first().filter(|(first, rest)| rest.iter().all(|label| label == *first)) {
        let name = classes.get(usize::from(*first)).map_or("", String::as_str);
        remarks.push(format!(
            "all {} rows that are tested on are `{name}`, so the test says nothing of the other classes: test on more rows",
            rest.len() + 1
        ));
    }
    if !untrained.is_empty() {
        remarks.push(format!(
            "no row that is trained on is {}, and some that are tested on are: no training can get those right",
            untrained.join(" or ")
        ));
    }
    if known < classes.len() {
        remarks.push(format!(
            "of the {} classes that the labels count, {known} occur; the network has an output for each of them. Number the classes \
             from 0 without gaps",
            classes.len()
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oddity_is_told_and_nothing_else() {
        let classes: Vec<String> = (0..4).map(|class| class.to_string()).collect();
        let told = |train: &[u8], test: &[u8]| of_labels(train, test, &classes);
        assert_eq!(told(&[0, 1, 2, 3], &[0, 3]), [""; 0]);
        assert_eq!(told(&[0, 1, 2, 3], &[]), [""; 0]);
        let one = told(&[0, 1, 2, 3], &[2, 2]);
        assert!(one.len() == 1 && one[0].contains("all 2 rows that are tested on are `2`"), "{one:?}");
        let new = told(&[0, 1, 2], &[0, 3]);
        assert!(new.len() == 1 && new[0].contains("no row that is trained on is `3`"), "{new:?}");
        let gap = told(&[0, 3], &[0, 3]);
        assert!(gap.len() == 1 && gap[0].contains("of the 4 classes that the labels count, 2 occur"), "{gap:?}");
    }
}
