//! The order of the house: floors, sizes, and the lists of what an addition touches.
//!
//! - here: the floors.
//! - `sizes`: how long files and functions may be, and where modules are.
//! - `assembly`: which instructions assembly has.
//! - `digest`: what decides kept runs is in the digest that they are found by.
//! - `lists`: `CONTRIBUTING.md` names every place that an addition touches.
//!
//! The floors of core and host, whose training is a package of its own: no module imports from one above it, and no two files
//! import each other, be it through others.
//! In the host, files of a folder may share what the folder's own file has.
//!
//! The order stands in `lib.rs`, under "Floors". Every path counts that begins at the crate, at a `super` or `self`, or at
//! a module within the file's own, in macros too. Tests and documentation do not count. A name that a module re-exports is of the
//! file that it comes from; a re-export itself may go down, as an import may, and is no part of a circle.

mod assembly;
mod digest;
mod lists;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, iter};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Names from the crate's root on.
type Names = Vec<String>;

/// What one file says.
#[derive(Default)]
struct File {
    imports: Vec<Names>,
    /// Names that it re-exports, and where they are.
    exports: BTreeMap<String, Names>,
    macros: BTreeSet<String>,
}

/// All files, by their modules.
struct Crate(BTreeMap<Names, File>);

impl Crate {
    fn new(sources: &[(String, String)]) -> Self {
        let modules = sources.iter().map(|(path, _)| module(path));
        let mut all = Self(modules.map(|module| (module, File::default())).collect());
        for (path, text) in sources {
            let (mut file, tokens) = (File::default(), text.parse().unwrap_or_else(|e| panic!("{path}: {e}")));
            all.read(&mut file, &module(path), tokens);
            all.0.insert(module(path), file);
        }
        all
    }

    /// Takes in some tokens of a module.
    fn read(&self, file: &mut File, module: &Names, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let word = |i: usize| tokens.get(i).map(ToString::to_string).unwrap_or_default();
        let mut i = 0;
        while i < tokens.len() {
            let follows = i > 1 && word(i - 1) == ":" && word(i - 2) == ":";
            match (&tokens[i], word(i).as_str()) {
                (_, "#") => {
                    i += usize::from(word(i + 1) == "!") + 1;
                    if word(i).replace(' ', "") == "[cfg(test)]" {
                        i += tokens[i..].iter().position(is_end).unwrap_or(0);
                    }
                }
                (_, "mod") if is_block(tokens.get(i + 2)) => {
                    let inner: Names = module.iter().cloned().chain([word(i + 1)]).collect();
                    self.read(file, &inner, block(&tokens[i + 2]));
                    i += 2;
                }
                (_, "macro_rules") => drop(file.macros.insert(word(i + 2))),
                // Not of a type that captures, as in `+ use<>`.
                (_, "use") if word(i + 1) != "<" => {
                    let is_public = i > 0 && (word(i - 1) == "pub" || word(i - 1).starts_with('('));
                    let end = i + tokens[i..].iter().position(|token| token.to_string() == ";").unwrap_or(0);
                    for (path, name) in tree(&[], &tokens[i + 1..end]) {
                        match self.absolute(module, &path) {
                            Some(path) if is_public => drop(file.exports.insert(name, path)),
                            Some(path) => file.imports.push(path),
                            None => {}
                        }
                    }
                    i = end;
                }
                (TokenTree::Ident(_), first) if !follows && word(i + 1) == ":" && word(i + 2) == ":" => {
                    let rest = (i + 1..).step_by(3).take_while(|&k| word(k) == ":" && word(k + 1) == ":");
                    let path: Names = iter::once(first.to_owned()).chain(rest.map(|k| word(k + 2))).collect();
                    file.imports.extend(self.absolute(module, &path));
                }
                (TokenTree::Group(group), _) => self.read(file, module, group.stream()),
                _ => {}
            }
            i += 1;
        }
    }

    /// A path as seen from the root; `None` if it leads out of the crate, or is no path of modules.
    fn absolute(&self, module: &Names, path: &[String]) -> Option<Names> {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (&module[..], &path[1..]),
            "super" => (&module[..module.len().checked_sub(ups)?], &path[ups..]),
            first => {
                let child = [module, &[first.to_owned()][..]].concat();
                self.0.contains_key(&child).then_some((&module[..], path))?
            }
        };
        Some([base, rest].concat())
    }

    /// The module whose file a path leads to.
    fn resolve(&self, path: &[String]) -> Names {
        let known = (0..=path.len()).rev().find(|&n| self.0.contains_key(&path[..n])).expect("a root");
        let (module, rest) = path.split_at(known);
        let Some(name) = rest.first() else { return module.to_vec() };
        if let Some(from) = self.0[module].exports.get(name) {
            return self.resolve(&[&from[..], &rest[1..]].concat());
        }
        let of_macro = self.0.iter().find(|(_, file)| module.is_empty() && file.macros.contains(name));
        of_macro.map_or_else(|| module.to_vec(), |(module, _)| module.clone())
    }

    /// What is wrong, a line for each. `family`: files of a folder may import from the folder's own file.
    fn faults(&self, order: &[String], family: bool) -> Vec<String> {
        let mut faults = BTreeSet::new();
        for (module, file) in self.0.iter().filter(|(module, _)| !module.is_empty()) {
            let place = |module: &Names| order.iter().position(|name| Some(name) == module.first());
            let Some(own) = place(module) else {
                faults.insert(format!("`{}` has no floor", module[0]));
                continue;
            };
            for path in file.imports.iter().chain(file.exports.values()) {
                let target = self.resolve(path);
                if !target.is_empty() && place(&target).is_some_and(|floor| floor > own) {
                    faults.insert(format!("`{}` imports upwards: `{}`", module.join("::"), target.join("::")));
                }
            }
        }
        let gone = order.iter().filter(|name| !self.0.contains_key(&[(*name).clone()][..]));
        faults.extend(gone.map(|name| format!("there is no module `{name}`")));
        let circle: Vec<_> = self.circle(family).iter().map(|module| module.join("::")).collect();
        faults.extend((!circle.is_empty()).then(|| format!("in a circle: {}", circle.join(", "))));
        faults.into_iter().collect()
    }

    /// The files of circles, and of ways between circles.
    fn circle(&self, family: bool) -> BTreeSet<Names> {
        let all = self.0.iter().filter(|(module, _)| !module.is_empty());
        let targets = |module: &Names, file: &File| {
            let targets = file.imports.iter().map(|path| self.resolve(path));
            targets.filter(|target| target != module && !(family && module.starts_with(target))).collect()
        };
        let mut left: BTreeMap<Names, BTreeSet<Names>> =
            all.map(|(module, file)| (module.clone(), targets(module, file))).collect();
        loop {
            let imported: BTreeSet<_> = left.values().flatten().cloned().collect();
            let modules: BTreeSet<_> = left.keys().cloned().collect();
            left.retain(|module, targets| imported.contains(module) && !targets.is_disjoint(&modules));
            if left.len() == modules.len() {
                return modules;
            }
        }
    }
}

fn module(path: &str) -> Names {
    let mut names: Names = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    names.pop_if(|name| name == "mod" || name == "lib");
    names
}

fn is_block(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
}

fn is_end(token: &TokenTree) -> bool {
    is_block(Some(token)) || token.to_string() == ";"
}

fn block(token: &TokenTree) -> TokenStream {
    if let TokenTree::Group(group) = token { group.stream() } else { TokenStream::new() }
}

/// The paths of an import, each with the name that it is known by.
fn tree(prefix: &[String], tokens: &[TokenTree]) -> Vec<(Names, String)> {
    let mut all = Vec::new();
    for part in tokens.split(|token| token.to_string() == ",").filter(|part| !part.is_empty()) {
        let words = part.iter().filter(|token| !is_block(Some(token))).map(ToString::to_string);
        let names: Names = words.filter(|word| word != ":" && word != "self" && word != "$").collect();
        let end = names.iter().position(|name| name == "as").unwrap_or(names.len());
        let path = [prefix, &names[..end]].concat();
        match part.last() {
            Some(TokenTree::Group(group)) => all.extend(tree(&path, &group.stream().into_iter().collect::<Vec<_>>())),
            _ => all.extend(names.last().or(path.last()).cloned().map(|name| (path, name))),
        }
    }
    all
}

/// The modules in their order.
fn order(lib: &str) -> Names {
    let (_, section) = lib.split_once("//! # Floors").expect("a section on floors");
    let list = section.split("//! ```").nth(1).expect("a list");
    list.lines()
        .skip(1)
        .flat_map(|line| line.trim_start_matches("//!").split(','))
        .map(|name| name.trim().to_owned())
        .collect()
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files of a folder, each with its path in there.
fn sources(folder: &Path) -> Vec<(String, String)> {
    files(folder, &["rs"])
}

/// All files of a folder with one of some extensions, each with its path in there; those that were built do not count.
fn files(folder: &Path, extensions: &[&str]) -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    let mut sources = Vec::new();
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.extend((!entry.ends_with("target")).then_some(entry));
            } else if extensions.iter().any(|known| entry.extension().is_some_and(|extension| extension == *known)) {
                let path = entry.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                sources.push((path, fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    sources
}

/// What is wrong with a package, which has more than so many imports; its programs and the files of its tests do not count.
fn faults_of(package: &str, least: usize, family: bool) -> Vec<String> {
    let mut sources = sources(&root().join(package).join("src"));
    sources.retain(|(path, _)| path != "main.rs" && !path.ends_with("/tests.rs"));
    let (_, lib) = sources.iter().find(|(path, _)| path == "lib.rs").expect("the root");
    let all = Crate::new(&sources);
    let imports: usize = all.0.values().map(|file| file.imports.len()).sum();
    assert!(imports > least, "only {imports} imports were seen");
    all.faults(&order(lib), family)
}

#[test]
fn the_core_imports_downwards_only() {
    assert_eq!(faults_of("core", 300, false), [""; 0]);
}

#[test]
fn the_host_imports_downwards_only() {
    assert_eq!(faults_of("host/training", 200, true), [""; 0]);
    assert_eq!(faults_of("host", 200, true), [""; 0]);
}

/// All identifiers, those within brackets too; words in documentation and strings are none.
fn identifiers(tokens: TokenStream) -> BTreeSet<String> {
    let of = |token| match token {
        TokenTree::Group(group) => identifiers(group.stream()),
        TokenTree::Ident(ident) => BTreeSet::from([ident.to_string()]),
        TokenTree::Punct(_) | TokenTree::Literal(_) => BTreeSet::new(),
    };
    tokens.into_iter().flat_map(of).collect()
}

/// Generic code is compiled with the package that uses it, and a release does not optimize the program. So the program does not name what
/// trains.
#[test]
fn the_program_trains_with_what_is_optimized() {
    let generic = ["GuardVisitor", "Trainer", "Sampler", "Unguarded", "LossGuard", "RelayGuard", "AnyRule"];
    let named =
        |(path, text): (String, String)| (identifiers(text.parse().unwrap_or_else(|e| panic!("{path}: {e}"))), path);
    for (names, path) in sources(&root().join("host/src")).into_iter().map(named) {
        assert_eq!(
            generic.iter().find(|name| names.contains(**name)),
            None,
            "host/src/{path}: it belongs to host/training"
        );
    }
    // A name that is no longer there would be found nowhere.
    let there: BTreeSet<String> =
        sources(&root().join("host/training/src")).into_iter().flat_map(|file| named(file).0).collect();
    assert_eq!(generic.iter().find(|name| !there.contains(**name)), None, "host/training does not name it");
}

/// What is wrong with two floors, `low` with a file `part` and `high`, if these are their contents.
fn planted(low: &str, part: &str, high: &str) -> Vec<String> {
    let lib = "mod low; mod high; pub use high::Roof;\n//! # Floors\n//! ```text\n//! low\n//! high\n//! ```";
    let sources = [("lib.rs", lib), ("low/mod.rs", low), ("low/part.rs", part), ("high.rs", high)];
    Crate::new(&sources.map(|(path, text)| (path.to_owned(), text.to_owned()))).faults(&order(lib), false)
}

#[test]
fn an_upward_import_is_found() {
    let upwards = ["`low::part` imports upwards: `high`"];
    for text in [
        "use crate::high::Roof;",
        "use crate::Roof;",
        "use super::super::high;",
        "use crate::{low::Floor, high::{self, Roof}};",
        "fn f(roof: crate::high::Roof) {}",
        "impl A { fn f() { if true { crate::high::Roof::f() } } }",
        "macro_rules! m { () => { $crate::high::Roof::<u8>::f() }; }",
        "mod inner { use super::super::super::high::Roof; }",
        "pub use crate::high::Roof;",
        "#[cfg(test)] mod tests { fn f() {} } use crate::high::Roof;",
        "crate::tiles!();",
    ] {
        assert_eq!(planted("mod part;", text, "macro_rules! tiles { () => {} }"), upwards, "{text}");
    }
}

#[test]
fn tests_documentation_and_ways_down_are_no_imports_upwards() {
    for text in [
        "/// See [`Roof`](crate::high::Roof).\n//! use crate::high::Roof;\nconst A: &str = \"crate::high\"; // crate::high",
        "#[cfg(test)]\n#[allow(unused)]\nmod tests { use crate::high::Roof; }",
        "#[cfg(test)] use crate::high::Roof;",
        "use core::high; use other::crate_high;",
    ] {
        assert_eq!(
            planted("mod part; pub use part::Floor;", text, "use crate::low::{Floor, part};"),
            [""; 0],
            "{text}"
        );
    }
}

#[test]
fn a_circle_is_found() {
    let circle = ["in a circle: low, low::part"];
    for (low, part) in [
        ("mod part; use part::Part;", "use super::Floor;"),
        ("mod part; pub use part::Part; fn f() { part::f() }", "fn f(floor: crate::low::Floor) {}"),
    ] {
        assert_eq!(planted(low, part, ""), circle, "{low}");
    }
    assert_eq!(planted("mod part; pub use part::Part;", "use super::Floor;", ""), [""; 0]);
    assert_eq!(planted("mod part; pub use part::Part;", "use super::Part;", ""), [""; 0]);
}

#[test]
fn a_module_without_a_floor_and_a_floor_without_a_module_are_found() {
    let sources = [("lib.rs", ""), ("new.rs", "")].map(|(path, text)| (path.to_owned(), text.to_owned()));
    let faults = Crate::new(&sources).faults(&["old".to_owned()], false);
    assert_eq!(faults, ["`new` has no floor", "there is no module `old`"]);
}
