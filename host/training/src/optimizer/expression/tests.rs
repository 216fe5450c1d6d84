//! What can be read, and what is said about the rest.

use super::*;
use crate::optimizer::Policy;
use lgl2o::guard::Decision;

fn tuned() -> Tuned {
    Tuned { best: hand_made::names().map(|name| (name.to_owned(), 0.5)).collect(), ..Tuned::default() }
}

fn names(expression: &str) -> Vec<String> {
    parse_list(expression, &tuned()).unwrap().into_iter().map(|o| o.name).collect()
}

fn error(expression: &str) -> String {
    parse_list(expression, &tuned()).unwrap_err().to_string()
}

#[test]
fn lists_split_outside_parentheses_and_rates_are_spelled_out() {
    assert_eq!(
        names("sgd:1, adam ,lgl2o(l2o, sgd:5/(50+i), nt=1,veto),gl2o(l2o,adam,mu=ema:0.5)"),
        ["sgd:1", "adam:0.5", "lgl2o(l2o,sgd:5/(50+i),nt=1,veto)", "gl2o(l2o,adam:0.5,mu=ema:0.5)"]
    );
}

#[test]
fn a_file_of_any_name_can_be_named() {
    let home = tempfile::tempdir().unwrap();
    let kind = crate::optimizer::learned::find("ngn", None).unwrap();
    let weights = (kind.to_file)(&(kind.initial)(&mut lgl2o::Rng::new(1))).unwrap();
    for name in ["my weights, 2.l2o", "it's.l2o", "a\"b.l2o", "a\\\"b'c.l2o", "(.l2o", "\u{30c7}:=.l2o", "a\nb.l2o"] {
        let path = home.path().join(name);
        std::fs::write(&path, &weights).unwrap();
        let path = path.to_str().unwrap();
        let double = format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
        let single = (!path.contains('\'')).then(|| format!("'{path}'"));
        for file in [Some(double), single].into_iter().flatten() {
            let list = format!("sgd:1,avg-l2o:{file}, lgl2o(l2o:{file},sgd:1,nt=3)");
            let found = names(&list);
            assert_eq!(found.len(), 3, "{list}");
            // A name is an expression again.
            assert_eq!(names(&found.join(",")), found);
        }
    }
    assert!(error("l2o:'open").contains("cannot read the optimizer expression"));
}

#[test]
fn options_reach_the_guard() {
    let one = parse("lgl2o(l2o,sgd,nt=3,nc=2,margin=1.5,follow)", &tuned()).unwrap();
    let Method::Loss { settings, policy, .. } = one.method else { panic!("a loss guard") };
    assert_eq!((settings.train_batches, settings.check_batches), (3, 2));
    assert_eq!((settings.decision, policy), (Decision::Margin { z: 1.5 }, Policy::Follow));
    assert!(matches!(parse("blend(l2o,sgd,share=0.25)", &tuned()).unwrap().method, Method::Blend { share: 0.25, .. }));
}

/// Two options that set the same stand for a mistake: one of them would be ignored.
#[test]
fn options_do_not_contradict_each_other() {
    for (options, other) in [
        ("nt=3,nt=4", "nt"),
        ("trust,no-trust", "trust"),
        ("no-veto,veto", "no-veto"),
        ("full,lower", "full"),
        ("keep,nc=2,reset", "keep"),
    ] {
        let said = error(&format!("lgl2o(l2o,sgd,{options})"));
        assert!(said.contains(&format!("`{other}` stands before it")), "{said}");
    }
    assert!(error("lgl2o(l2o,sgd,veto,paper)").contains("write it first"));
    assert!(parse("lgl2o(l2o,sgd,paper,nt=3,no-veto,full,stride=2)", &tuned()).is_ok());
}

#[test]
fn any_rule_can_be_averaged_and_has_its_own_rate_if_there_is_one() {
    let mut tuned = tuned();
    tuned.best.insert("avg-sgd".to_owned(), 2.0);
    let all = parse_list("avg-l2o,avg-sgd,avg-adam,avg-sgd:3,lgl2o(avg-lean,avg-sgd)", &tuned).unwrap();
    let names: Vec<&str> = all.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["avg-l2o", "avg-sgd:2", "avg-adam:0.5", "avg-sgd:3", "lgl2o(avg-lean,avg-sgd:2)"]);
    assert!(matches!(all[0].method, Method::Alone { rule: AnyRule::Averaged(_), learned: true }));
    assert!(matches!(all[1].method, Method::Alone { rule: AnyRule::Averaged(_), learned: false }));
    assert!(error("avg-adm").contains("did you mean `adam`"), "{}", error("avg-adm"));
    assert!(error("avg-avg-sgd").contains("unknown"));
}

/// `rot-` stands next to the rule, and so behind `avg-`; a rule has the rate there that it has without.
#[test]
fn any_rule_that_does_not_search_can_be_rotated() {
    let mut tuned = tuned();
    tuned.best.insert("avg-sgd".to_owned(), 2.0);
    let all = parse_list("rot-l2o,avg-rot-sgd,rot-adam:3,relay(avg-rot-l2o,avg-ngn),auto-rotated", &tuned).unwrap();
    let names: Vec<&str> = all.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["rot-l2o", "avg-rot-sgd:2", "rot-adam:3", "relay(avg-rot-l2o,avg-ngn)", "auto-rotated"]);
    assert!(matches!(all[0].method, Method::Alone { rule: AnyRule::Rotated(_), learned: true }));
    let Method::Alone { rule: AnyRule::Rotated(inner), .. } = &all[0].method else { panic!("a rotated rule") };
    assert_eq!(inner.rule, (learned::built_in("l2o").unwrap().rotated)(), "weights of its own");
    assert!(error("rot-armijo").contains("searches"), "{}", error("rot-armijo"));
    assert!(error("rot-adm").contains("did you mean `adam`"));
    assert!(error("rot-avg-sgd").contains("as in avg-rot-sgd"), "{}", error("rot-avg-sgd"));
    assert!(error("rot-avg-sgd").contains("unknown") && error("rot-rot-sgd").contains("unknown"));
}

#[test]
fn what_is_wrong_is_said_with_the_nearest_name() {
    assert_eq!(names("learned-ngn,avg-table"), ["l2o", "avg-lean"], "other names are the usual ones");
    assert!(error("controller").contains("unknown") && error("mlp").contains("known: auto"));
    assert!(error("adm").contains("did you mean `adam`"), "{}", error("adm"));
    assert!(error("sdg").contains("did you mean `sgd`"));
    assert!(!error("gradient-descent").contains("did you mean"));
    assert!(error("auto(held-out,lean)").contains("unknown option of auto `lean`; known: held-out"));
    assert!(error("auto(held-out=3)").contains("no number to set"));
    assert!(error("lgl20(l2o,sgd)").contains("did you mean `lgl2o`"));
    assert!(error("lgl2o(l2o,sgd,vetto)").contains("did you mean `veto`"));
    assert!(error("lgl2o").contains("lgl2o(l2o,sgd)"));
    assert!(error("lgl2o(l2o)").contains("two rules"));
    assert!(error("sgd:-1").contains("no rate"));
    assert!(error("sgd:nan").contains("no rate"));
    assert!(error("lgl2o(l2o,sgd,nt=0)").contains("from 1 to 100000000"));
    assert!(error("lgl2o(l2o,sgd,nc=4000000000)").contains("from 1 to 10000"));
    assert!(error("gl2o(l2o,sgd,alpha=1)").contains("below 1"));
    assert!(error("gl2o(l2o,sgd,mu=rm:33)").contains("at most 32"));
    assert!(error("sgd:1,,adam").contains("cannot read"));
    assert!(error("").contains("cannot read"));
    assert!(error("l2o:no-such-file").contains("cannot be read"));
    for nested in ["lgl2o(lgl2o,sgd)", "lgl2o(auto,sgd)", "avg-auto", "relay(l2o,avg-gl2o)"] {
        assert!(error(nested).contains("it is a guard"), "{}", error(nested));
    }
    assert!(error("avg-lgl2o(l2o,sgd)").contains("a guard cannot be averaged"));
    assert!(error("((((((((").contains("cannot read"));
}
