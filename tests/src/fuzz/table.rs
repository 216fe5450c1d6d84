//! Tables in text and arrays: CSV and `.npy` files.

use std::path::Path;

use lgl2o_host::data::table::{Kind, Missing, Reading, Table, Target, npy, parse};

use super::Target as Format;

pub(super) const TARGET: Format = Format { name: "table", read, examples, memory };

/// A cell of two bytes is a feature of four, in a vector that may have room for twice as much, or a class with its name; a line of
/// one byte is a record of the reader's. Packed bytes stand for 1,032 each.
fn memory(bytes: &[u8]) -> usize {
    let ratio = if bytes.starts_with(&[0x1f, 0x8b]) { 1032 } else { 1 };
    (1 << 19) + 256 * ratio * bytes.len()
}

/// What is accepted is finite, and all of it is there; a table that is written as an array reads back the same.
fn read(bytes: &[u8]) -> bool {
    let file = Path::new("a file");
    let mut accepted = false;
    for kind in [Kind::Classes, Kind::Values] {
        for missing in [Missing::Refuse, Missing::Drop] {
            let table = match parse(file, bytes, &Reading { kind, missing, ..Reading::default() }) {
                Ok(table) => table,
                Err(error) => {
                    assert!(error.to_string().contains("a file"), "{error}");
                    continue;
                }
            };
            consistent(&table);
            accepted = true;
        }
    }
    accepted
}

fn consistent(table: &Table) {
    let (rows, width) = (table.rows(), table.width());
    assert!(rows > 0 && width > 0 && table.inputs.len() == rows * width && table.inputs.iter().all(|x| x.is_finite()));
    match &table.target {
        Target::Classes { labels, names } => {
            assert!(labels.len() == rows && labels.iter().all(|label| usize::from(*label) < names.len()));
            let distinct: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len());
        }
        Target::Values(values) => {
            assert!(values.len() == rows && values.iter().all(|x| x.is_finite()));
            let all: Vec<f32> = (0..rows).flat_map(|i| [table.row(i), &values[i..=i]].concat()).collect();
            let written = npy::write(&[rows, width + 1], &all);
            let again = parse(Path::new("b"), &written, &Reading { kind: Kind::Values, ..Reading::default() })
                .expect("an array");
            assert_eq!((&again.inputs, &again.target), (&table.inputs, &table.target));
        }
        Target::Unknown => panic!("a table has a target"),
    }
}

fn examples() -> Vec<Vec<u8>> {
    let text =
        ["a,b,y\n1,2.5,p\n3,4,q\n", "1;2;3\n4;;6\n7;8;9\n", "\"a\tb\"\tc\n\"1\"\t2\n", "\u{feff}x|y\r\n1e3|-0\r\n"];
    let mut all: Vec<Vec<u8>> = text.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(npy::write(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let fortran = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1, 2), }\n";
    all.push(
        [npy::MAGIC, &[1, 0], &(fortran.len() as u16).to_le_bytes(), fortran.as_bytes(), &[0, 1, 0, 2, 0, 3, 0, 4]]
            .concat(),
    );
    all
}
