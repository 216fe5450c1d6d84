// scratch: validation losses of optimizers on development tasks
use lgl2o::objective::mlp::Activation;
use lgl2o_host::data::{self, DataSets, Dataset};
use lgl2o_host::experiment::run::run;
use lgl2o_host::optimizer::{Tuned, parse_list};
use lgl2o_host::task::Task;
use rayon::prelude::*;
use std::path::Path;

fn checker(n: usize, seed: u64) -> Dataset {
    let mut rng = lgl2o::Rng::new(seed);
    let (mut x, mut y) = (vec![], vec![]);
    for _ in 0..n {
        let (a, b) = (rng.range(-2.0, 2.0), rng.range(-2.0, 2.0));
        x.extend([a, b]);
        y.push(((a + 2.0).floor() as i32 + (b + 2.0).floor() as i32).rem_euclid(2) as u8);
    }
    Dataset::new(x, y, 2, 2, None).unwrap()
}

fn task(name: &str) -> Task {
    let dir = Path::new("/work/shared/data");
    let mnist = |pool: usize| {
        let mut s = data::load_mnist(dir).unwrap();
        if pool > 1 {
            s.train = s.train.average_pool(pool).unwrap();
            s.test = s.train.clone();
        }
        s
    };
    let sel = |s: DataSets, h: &[usize], a| Task::new(name, s.for_selection().unwrap(), h, a, 128);
    match name {
        "mnist" => sel(mnist(1), &[20], Activation::Sigmoid),
        "m14" => sel(mnist(2), &[20], Activation::Sigmoid),
        "m14tanh" => sel(mnist(2), &[32], Activation::Tanh),
        "m14relu" => sel(mnist(2), &[24, 24], Activation::Relu),
        "m7deep" => sel(mnist(4), &[16, 16, 16], Activation::Sigmoid),
        "logit" => sel(mnist(1), &[], Activation::Sigmoid),
        "checker" => sel(
            DataSets { name: "checker".into(), train: checker(3000, 1), test: checker(1000, 2) },
            &[24, 24],
            Activation::Tanh,
        ),
        other => panic!("{other}"),
    }
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (names, list, steps, seeds) = (&a[1], &a[2], a[3].parse::<u64>().unwrap(), a[4].parse::<u64>().unwrap());
    let tasks: Vec<Task> = names.split(',').map(task).collect();
    let opts = parse_list(list, &Tuned::default()).unwrap();
    let marks = [25u64, 50, 100, 150, 200, 300, 500, 1000, 2000, 3000, 5000, 10000, 20000, 30000, 50000];
    let pts: Vec<u64> = std::iter::once(0).chain(marks.into_iter().filter(|m| *m <= steps)).collect();
    for t in &tasks {
        println!("## {} ({})", t.name, t.model);
        let jobs: Vec<_> = opts.iter().flat_map(|o| (0..seeds).map(move |s| (o, 2001 + s))).collect();
        let out: Vec<_> = jobs.par_iter().map(|(o, s)| run(t, o, *s, &pts, &|_| {}).unwrap().run).collect();
        for (i, o) in opts.iter().enumerate() {
            let runs = &out[i * seeds as usize..(i + 1) * seeds as usize];
            print!("{:44}", o.name);
            for m in marks.iter().filter(|m| **m <= steps) {
                let mut v: Vec<f64> = runs
                    .iter()
                    .map(|r| r.curve.iter().rfind(|p| p.step <= *m).and_then(|p| p.test_loss).unwrap_or(99.0))
                    .collect();
                v.sort_by(f64::total_cmp);
                print!(" {m}:{:.4}", v.iter().sum::<f64>() / v.len() as f64);
                if *m == steps {
                    print!(" worst {:.4}", v[v.len() - 1]);
                }
            }
            let c = runs.iter().map(|r| r.curve.last().unwrap().cost).sum::<f64>() / seeds as f64;
            let w = runs.iter().map(|r| r.learned_share).sum::<f64>() / seeds as f64;
            if std::env::var("V").is_ok() {
                let v: Vec<String> = runs[0]
                    .verdicts
                    .iter()
                    .take(60)
                    .map(|v| format!("{:?}{}", v.winner, v.until).replace("Fallback", "f").replace("Learned", "L"))
                    .collect();
                println!("\n   {}", v.join(" "));
            }
            println!(" cost/step {:.2} won {:.2}", c / steps as f64, w);
        }
    }
}
