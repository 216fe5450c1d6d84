use super::*;

fn parsed(text: &str, reading: &Reading<'_>) -> Result<Table, TableError> {
    parse(Path::new("t.csv"), text.as_bytes(), reading)
}

#[track_caller]
fn refused(text: &str, reading: &Reading<'_>, says: &[&str]) {
    let error = parsed(text, reading).expect_err("refused").to_string();
    for part in says {
        assert!(error.contains(part), "`{part}` is not in `{error}`");
    }
}

fn classes(table: &Table) -> (Vec<u8>, Vec<&str>) {
    match &table.target {
        Target::Classes { labels, names } => (labels.clone(), names.iter().map(String::as_str).collect()),
        other => panic!("classes, not {other:?}"),
    }
}

const VALUES: Reading<'static> = Reading {
    target: None,
    drop: &[],
    kind: Kind::Values,
    missing: Missing::Refuse,
    header: None,
    delimiter: None,
    labels: None,
    like: None,
    needs_target: true,
};

#[test]
fn delimiters_and_headers_are_found() {
    for delimiter in [",", ";", "\t", "|"] {
        for header in ["a,b,y\n", ""] {
            let text = format!("{header}1,2.5,on\n-3e2,4,off\n").replace(',', delimiter);
            let table = parsed(&text, &Reading::default()).expect("a table");
            assert_eq!((table.inputs.as_slice(), table.width()), (&[1.0, 2.5, -300.0, 4.0][..], 2), "{text}");
            assert_eq!(classes(&table), (vec![1, 0], vec!["off", "on"]));
            let name = table.columns.features[1].name.as_deref();
            assert_eq!(name, (!header.is_empty()).then_some("b"));
        }
    }
    // Other characters, a byte order mark, lines of Windows, no last line end, quotation marks with a delimiter and a line end in them.
    let text = "\u{feff}\"a, with comma\",b,y\r\n1,2,\"x, \"\"quoted\"\"\"\r\n3,4,\"z\nz\"";
    let table = parsed(text, &Reading::default()).expect("a table");
    assert_eq!(classes(&table).1, ["x, \"quoted\"", "z\nz"]);
    assert_eq!(table.columns.features[0].name.as_deref(), Some("a, with comma"));
    let reading = Reading { delimiter: Some(b':'), header: Some(true), ..Reading::default() };
    assert_eq!(parsed("1:2:3\n4:5:6\n7:8:9", &reading).expect("a table").rows(), 2);
}

#[test]
fn labels_are_in_order_of_numbers_or_letters() {
    let of = |labels: &[&str]| {
        let text: String = labels.iter().map(|label| format!("1,{label}\n")).collect();
        let table = parsed(&text, &Reading { header: Some(false), ..Reading::default() }).expect("a table");
        let (labels, names) = classes(&table);
        (labels, names.join(" "))
    };
    assert_eq!(of(&["10", "9", "-1", "9.0"]), (vec![2, 1, 0, 1], "-1 9 10".to_owned()));
    assert_eq!(of(&["10", "9", "b", "B"]), (vec![0, 1, 3, 2], "10 9 B b".to_owned()));
    assert_eq!(of(&["0", "-0", "1"]), (vec![0, 0, 1], "0 1".to_owned()));
}

#[test]
fn columns_are_named_or_numbered() {
    let text = "id,a,y,b\nx,1,2,3\nz,4,5,6\n";
    let drop = ["id".to_owned()];
    for target in ["y", "3"] {
        let table = parsed(text, &Reading { target: Some(target), drop: &drop, ..VALUES }).expect("a table");
        assert_eq!((table.inputs, table.target), (vec![1.0, 3.0, 4.0, 6.0], Target::Values(vec![2.0, 5.0])));
    }
    refused(text, &Reading { target: Some("z"), ..VALUES }, &["t.csv", "`z`", "`id`, `a`, `y`, `b`"]);
    refused(text, &Reading { target: Some("5"), ..VALUES }, &["no column `5`"]);
    refused("a,a,y\n1,2,3", &Reading { target: Some("a"), ..VALUES }, &["two columns", "number"]);
    refused(text, &VALUES, &["line 2, column 1 (`id`)", "`x` is not a number", "--drop id"]);
}

/// Whether there are names in the first line or not, and whatever cuts the cells.
#[test]
fn decimal_commas_are_told_as_such() {
    let plain = Reading::default();
    for delimiter in [";", "\t", "|"] {
        let lines = |first: &str| format!("{first}0,5;1,25;low\n1,5;2,25;high\n-2,5;1e3;low\n").replace(';', delimiter);
        refused(&lines(""), &plain, &["line 1, column 1", "`0,5` has a decimal comma", "1234.5"]);
        refused(&lines("a;b;level\n"), &plain, &["line 2, column 1 (`a`)", "`0,5` has a decimal comma"]);
        let values = "0,5;1,25;7,5\n1,5;2,25;8\n".replace(';', delimiter);
        refused(&values, &VALUES, &["line 1, column 1", "`0,5` has a decimal comma"]);
        let target = "1;1,25\n2;2,25\n".replace(';', delimiter);
        refused(&target, &VALUES, &["line 1, column 2", "`1,25` has a decimal comma"]);
    }
    // Commas that cut cells are none, and text may have commas.
    let table = parsed("1,2,a;b\n3,4,c;d\n", &plain).expect("a table");
    assert_eq!((table.width(), classes(&table).1.join(" ")), (2, "a;b c;d".to_owned()));
    let table = parsed("a;y\n1;p, q\n2;r\n", &plain).expect("a table");
    assert_eq!(table.width(), 1);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let plain = Reading::default();
    refused("a,b,y\n1,2,p\n3,,q\n", &plain, &["t.csv, line 3, column 2 (`b`)", "missing", "--missing drop"]);
    refused("a,b,y\n1,2,p\n3,NaN,q\n", &plain, &["line 3, column 2 (`b`)", "missing"]);
    refused("a,b,y\n1,2,p\n3,4,\n", &plain, &["line 3, column 3 (`y`)", "missing"]);
    refused("a,b,y\n1,2,p\n3,inf,q\n", &plain, &["line 3, column 2 (`b`)", "inf is not a finite"]);
    refused("a,b,y\n1,2,p\n3,1e39,q\n", &plain, &["line 3", "not a finite number"]);
    refused("a,b,y\n1,2,p\n3,4\n", &plain, &["line 3", "2 cells", "first line has 3", "a comma"]);
    // Otherwise the lines behind it would be lost.
    for open in ["3,4,\"q\n5,6,p\n", "3,4,\"q\n5,6,\"p\"\n", "3,4,\"q\"r\n"] {
        refused(&format!("a,b,y\n1,\"2\",\"p\n\"\n{open}"), &plain, &["t.csv, line 4", "quotation mark", "not closed"]);
    }
    refused("a;b;y\n1,5;2;p\n", &plain, &["line 2, column 1 (`a`)", "decimal comma", "1234.5"]);
    // All cells look like text where numbers are written like this: the first line holds names all the same.
    for number in ["1,5", "-0,25", "1.234,5", "1,234.5", "1,234,567"] {
        refused(&format!("a;y\n{number};p\n2;q\n"), &plain, &["line 2, column 1 (`a`)", number, "decimal comma"]);
    }
    let named = Reading { header: Some(true), ..Reading::default() };
    refused("a;y\n1,2,x;p\n2;q\n", &named, &["`1,2,x` is not a number"]);
    refused("sep=;\na;b;y\n1;2;p\n", &plain, &["line 1", "delimiter", "Take the line out"]);
    refused("a,b,y\n1,1e300,p\n", &plain, &["line 2, column 2 (`b`): 1e300 is not a finite number"]);
    refused("a,b,c,y\n1,2,3,p\n1,red,new,q\n", &plain, &["line 3, column 2 (`b`)", "`red`", "--drop b,c"]);
    refused("a,y\n1,2.5\n2,3\n", &plain, &["line 2, column 2 (`y`)", "--regression"]);
    refused("a,y\n1,p\n2,3\n", &VALUES, &["line 2, column 2 (`y`)", "`p` is not a number"]);
    refused("a,b,y\nm,s,-\n1,2,p\n", &plain, &["line 1, column 1", "`a` is not a number", "--header yes"]);
    refused("a,y,\n1,p,\n", &plain, &["line 2, column 3 (without a name)", "missing"]);
    // A column that is empty in every row is left out as a whole.
    let drop = Reading { missing: Missing::Drop, ..Reading::default() };
    let target = Reading { target: Some("y"), ..Reading::default() };
    refused("a,b c,y\n1,,p\n2,NA,q\n", &plain, &["column 2 (`b c`)", "no row has a value", "--drop 'b c'"]);
    refused("a,b,y\n1,,p\n2,NA,q\n", &drop, &["column 2 (`b`)", "no row has a value", "--drop b"]);
    refused("a,y,\n1,p,\n2,q,\n", &target, &["column 3 (without a name)", "--drop 3", "at the end of every line"]);
    refused("a,b,y\n1,,p\n2,3,q\n", &plain, &["line 2, column 2 (`b`): the value is missing"]);
    // What is asked for by name is there, though nothing else tells names from rows.
    let text = "at,kind,y\n2024-01-01,x,p\n2024-01-02,z,q\n";
    refused(text, &target, &["line 2, column 1 (`at`)", "`2024-01-01` is not a number", "--drop at,kind"]);
    refused("y\n1\n", &plain, &["no column to learn from", "--delimiter"]);
    refused("", &plain, &["no row"]);
    refused("a,b,y\n", &plain, &["no row"]);
    refused("<!DOCTYPE html><html></html>", &plain, &["not a table", "web page"]);
    refused("PK\u{3}\u{4}zip", &plain, &["zip archive"]);
    let many: String = (0..300).map(|i| format!("1,c{i}\n")).collect();
    refused(&many, &plain, &["line 257, column 2", "more than 256"]);
    let error = parse(Path::new("t.csv"), b"a,b,y\n1,2,caf\xe9\n", &plain).expect_err("Latin-1").to_string();
    assert!(error.contains("line 2") && error.contains("UTF-8"), "{error}");
    let error = parse(Path::new("t.csv"), b"a,caf\xe9,y\n1,2,p\n", &plain).expect_err("a name").to_string();
    assert!(error.contains("line 1") && error.contains("UTF-8"), "{error}");
    let error = parse(Path::new("t.csv"), b"\xff\xfea\0,\0", &plain).expect_err("UTF-16").to_string();
    assert!(error.contains("UTF-8"), "{error}");
}

#[test]
fn rows_with_missing_values_are_left_out_on_request() {
    let reading = Reading { missing: Missing::Drop, ..Reading::default() };
    let table = parsed("a,b,y\n1,2,p\n3,?,q\nNA,4,q\n5,6,\n7,8,q\n", &reading).expect("a table");
    assert_eq!((table.inputs.as_slice(), table.dropped), (&[1.0, 2.0, 7.0, 8.0][..], 3));
    refused("a,b,y\n,2,p\n3,,q\n", &reading, &["no row of data", "2 rows were left out"]);
}

#[test]
fn a_constant_column_is_found() {
    let table = parsed("a,b,y\n1,7,p\n3,7,q\n", &Reading::default()).expect("a table");
    assert_eq!(table.constant().map(|(column, value)| (column.reference(), value)), Some(("b".to_owned(), 7.0)));
    assert_eq!(parsed("a,y\n1,p\n3,q\n", &Reading::default()).expect("a table").constant(), None);
}

#[test]
fn another_table_has_the_same_features() {
    let first = parsed("id,a,b,y\n0,1,2,p\n0,3,4,q\n", &Reading { drop: &["id".to_owned()], ..Reading::default() });
    let columns = first.expect("a table").columns;
    let names = ["p".to_owned(), "q".to_owned()];
    let like = Reading { like: Some(&columns), kind: Kind::Known(&names), ..Reading::default() };
    // By name, in any order; by place with all columns, and with features and target alone.
    for text in ["y,b,c,a\nq,2,9,1\n", "0,1,2,q\n", "1,2,q\n"] {
        let table = parsed(text, &like).expect("a table");
        assert_eq!((table.inputs.as_slice(), classes(&table).0), (&[1.0, 2.0][..], vec![1]), "{text}");
    }
    refused("a,c,y\n1,2,p\n", &like, &["needs `b`", "`a`, `c`, `y`"]);
    refused("1,2\n", &like, &["targets are not in it"]);
    refused("1,2,3,4,5\n", &like, &["5 columns", "trained on 4"]);
    refused("a,b,y\n1,2,r\n", &like, &["line 2, column 3 (`y`)", "no class `r`", "`p`, `q`"]);
    // A name that is there twice says nothing.
    let twice = parsed("a,a,y\n1,2,p\n3,4,q\n", &Reading::default()).expect("a table").columns;
    let unclear = Reading { like: Some(&twice), ..like };
    assert_eq!(parsed("a,a,y\n1,2,p\n", &unclear).expect("by place").inputs, [1.0, 2.0]);
    for (text, reading) in [("a,b,b,y\n1,2,3,p\n", &like), ("a,b,y\n1,2,p\n", &unclear), ("y,a,a\np,1,2\n", &unclear)] {
        refused(text, reading, &["two columns are called", "a name of its own"]);
    }
    refused("a,a,b,b,y\n1,2,3,4,p\n", &like, &["5 columns", "trained on 4"]);
    let names = ["01".to_owned(), "2.0".to_owned()];
    let numbered = Reading { kind: Kind::Known(&names), ..like };
    assert_eq!(classes(&parsed("a,b,y\n1,2,2\n1,2,01\n1,2,1\n", &numbered).expect("a table")).0, [1, 0, 0]);
    let alone = Reading { needs_target: false, ..like };
    // What helps is what the command at hand can do.
    for (reading, missing) in [(&like, "--missing drop"), (&alone, "take the row out")] {
        refused("a,b,y\n1,,p\n", reading, &["line 2, column 2 (`b`)", "missing", missing]);
        refused("a,b,y\n1,red,p\n", reading, &["`red` is not a number", "that the model was trained on"]);
    }
    for text in ["b,a\n2,1\n", "1,2\n", "a,b,y\n1,2,\n", "a,b,y\n1,2,r\n"] {
        let table = parsed(text, &alone).expect("a table");
        assert_eq!((table.inputs.as_slice(), &table.target), (&[1.0, 2.0][..], &Target::Unknown), "{text}");
    }
}

/// A `.npy` file of this type, order and shape.
fn npy(descr: &str, fortran: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    [npy::MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), numbers].concat()
}

#[test]
fn arrays_of_every_type_and_order_are_read() {
    let read = |bytes: &[u8]| {
        let table = parse(Path::new("x.npy"), bytes, &VALUES).expect("a table");
        match table.target {
            Target::Values(values) => (table.inputs, values),
            other => panic!("values, not {other:?}"),
        }
    };
    let expected = (vec![1.0, -2.0, 4.0, 5.0], vec![3.0, 6.0]);
    let c = [1i8, -2, 3, 4, 5, 6];
    fn bytes<const N: usize>(numbers: [i8; 6], one: impl Fn(i8) -> [u8; N]) -> Vec<u8> {
        numbers.into_iter().flat_map(one).collect()
    }
    for (descr, all) in [
        ("<f4", bytes(c, |x| f32::from(x).to_le_bytes())),
        (">f4", bytes(c, |x| f32::from(x).to_be_bytes())),
        ("<f8", bytes(c, |x| f64::from(x).to_le_bytes())),
        ("|i1", bytes(c, |x| x.to_le_bytes())),
        ("<i2", bytes(c, |x| i16::from(x).to_le_bytes())),
        (">i4", bytes(c, |x| i32::from(x).to_be_bytes())),
        ("<i8", bytes(c, |x| i64::from(x).to_le_bytes())),
    ] {
        assert_eq!(read(&npy(descr, "False", "(2, 3)", &all)), expected, "{descr}");
    }
    let unsigned = bytes([1, 2, 3, 4, 5, 6], |x| (x as u16).to_le_bytes());
    assert_eq!(read(&npy("<u2", "False", "(2, 3)", &unsigned)).1, [3.0, 6.0]);
    let fortran = bytes([1, 4, -2, 5, 3, 6], |x| f64::from(x).to_le_bytes());
    assert_eq!(read(&npy("<f8", "True", "(2, 3)", &fortran)), expected);
    // Three dimensions: 2 rows of 2 x 2; in Fortran order the first index runs fastest.
    let cube = bytes([0, 0, 0, 0, 0, 0], |_| [0u8; 0]);
    let numbers: Vec<u8> = cube.into_iter().chain([1u8, 5, 3, 7, 2, 6, 4, 8]).collect();
    let table = parse(Path::new("x.npy"), &npy("|u1", "True", "(2, 2, 2)", &numbers), &VALUES).expect("a table");
    assert_eq!((table.inputs, table.target), (vec![1.0, 2.0, 3.0, 5.0, 6.0, 7.0], Target::Values(vec![4.0, 8.0])));
}

#[test]
fn what_is_wrong_with_an_array_is_told() {
    let eight = [0; 8];
    for (bytes, says) in [
        (npy("<f4", "False", "(2, 3)", &eight), "does not go with 8 bytes"),
        (npy("<c8", "False", "(1, 1)", &eight), "astype"),
        (npy("<f2", "False", "(2, 2)", &eight), "astype"),
        (npy("<f4", "False", "(2,)", &eight), "one dimension"),
        (npy("<f4", "False", "(0, 3)", &[]), "no row"),
        (npy("<f4", "False", "(0, 18446744073709551615, 2)", &[]), "no row"),
        (npy("<f4", "False", "(9999999999, 9999999999, 2)", &eight), "does not go with"),
        (npy("<f4", "False", "(2, 1)", &eight), "no column to learn from"),
        (npy("<f4", "False", "(1, 2)", &[0, 0, 192, 127, 0, 0, 0, 0]), "row 1, column 1: the value is missing"),
        (npy("<f4", "False", "(1, 2)", &[0, 0, 128, 127, 0, 0, 0, 0]), "row 1, column 1: inf"),
        (b"\x93NUMPY\x01\0\xff\0{'descr'".to_vec(), "cut off"),
        (b"\x93NUMPY\x09\0\0\0".to_vec(), "version 9"),
    ] {
        let error = parse(Path::new("x.npy"), &bytes, &VALUES).expect_err(says).to_string();
        assert!(error.contains(says) && error.starts_with("x.npy"), "{error}");
    }
}

#[test]
fn arrays_that_are_written_are_read() {
    let bytes = npy::write(&[2, 2], &[1.5, f32::MIN_POSITIVE, -0.1, 3e38]);
    assert_eq!(bytes.len() % 64, 16, "numbers begin at a multiple of 64");
    let table = parse(Path::new("x.npy"), &bytes, &VALUES).expect("a table");
    assert_eq!((table.inputs, table.target), (vec![1.5, -0.1], Target::Values(vec![f32::MIN_POSITIVE, 3e38])));
}

#[test]
fn labels_may_stand_in_an_array_of_their_own() {
    let home = tempfile::tempdir().expect("temporary directory");
    let labels = home.path().join("y.npy");
    std::fs::write(
        &labels,
        npy("<i8", "False", "(2,)", &[[7, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0]].concat()),
    )
    .unwrap();
    let reading = Reading { labels: Some(&labels), ..Reading::default() };
    let of = |shape: &str, numbers: &[u8]| parse(Path::new("x.npy"), &npy("|u1", "False", shape, numbers), &reading);
    let table = of("(2, 2)", &[1, 2, 3, 4]).expect("a table");
    assert_eq!((table.inputs.as_slice(), classes(&table)), (&[1.0, 2.0, 3.0, 4.0][..], (vec![1, 0], vec!["3", "7"])));
    let error = of("(3, 1)", &[1, 2, 3]).expect_err("three rows, two labels").to_string();
    assert!(error.contains("y.npy") && error.contains("3 rows of x.npy"), "{error}");
    refused("a,y\n1,2\n", &reading, &["--labels", "--target"]);
}

#[test]
fn a_packed_file_is_unpacked() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"a,y\n1,p\n2,q\n").expect("memory");
    let bytes = gzip.finish().expect("memory");
    assert_eq!(parse(Path::new("t.csv.gz"), &bytes, &Reading::default()).expect("a table").rows(), 2);
    let error = parse(Path::new("t.csv.gz"), &bytes[..20], &Reading::default()).expect_err("cut").to_string();
    assert!(error.contains("gzip data is damaged"), "{error}");
}

#[test]
fn a_million_rows_are_read() {
    let text: String = (0..1_000_000).map(|i| format!("{},{},{}\n", i % 97, i % 89, i % 2)).collect();
    let table = parsed(&text, &Reading::default()).expect("a table");
    assert_eq!((table.rows(), table.row(999_999)), (1_000_000, &[(999_999 % 97) as f32, (999_999 % 89) as f32][..]));
}
