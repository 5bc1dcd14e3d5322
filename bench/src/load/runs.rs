//! The kinds of load. Any bad answer ends a run: figures with errors in them are worth nothing.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::MissedTickBehavior;

use crate::client::{self, Client};
use crate::figures::Samples;
use crate::{Ask, Many};

/// Every connection asks again as soon as it was answered.
pub(crate) async fn closed(ask: &Ask, many: Many) -> anyhow::Result<Value> {
    let request = client::request(ask, false);
    each(ask, many, async move |mut client: Client, end: Instant| {
        let mut samples = Samples::default();
        while Instant::now() < end {
            let begin = Instant::now();
            client.whole(&request).await?;
            samples.add_time(begin.elapsed());
        }
        Ok(samples)
    })
    .await
}

/// Every connection asks for a stream again as soon as one ended; the samples are times of whole streams.
pub(crate) async fn streams(ask: &Ask, many: Many) -> anyhow::Result<Value> {
    let request = client::request(ask, true);
    each(ask, many, async move |mut client: Client, end: Instant| {
        let mut samples = Samples::default();
        while Instant::now() < end {
            let begin = Instant::now();
            client.stream(&request, |_| {}).await?;
            samples.add_time(begin.elapsed());
        }
        Ok(samples)
    })
    .await
}

/// The same with stamped chunks; the samples are how late each chunk came.
pub(crate) async fn paced(ask: &Ask, many: Many) -> anyhow::Result<Value> {
    let request = client::request(ask, true);
    each(ask, many, async move |mut client: Client, end: Instant| {
        let mut samples = Samples::default();
        while Instant::now() < end {
            client.stream(&request, |bytes| client::lags(bytes).for_each(|lag| samples.add(lag))).await?;
        }
        Ok(samples)
    })
    .await
}

/// Runs one task a connection until the time is over, and reports their samples together.
async fn each<T>(ask: &Ask, many: Many, task: T) -> anyhow::Result<Value>
where
    T: AsyncFn(Client, Instant) -> anyhow::Result<Samples> + 'static,
{
    let mut clients = Vec::new();
    for _ in 0..many.connections {
        clients.push(Client::connect(ask.port).await?);
    }
    let task = Rc::new(task);
    let begin = Instant::now();
    let end = begin + many.time();
    let all = LocalSet::new();
    let run = async move {
        let mut running = JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            let task = Rc::clone(&task);
            running.spawn_local(async move {
                // A little apart, so that paced chunks do not all come at the same instant.
                tokio::time::sleep(Duration::from_micros(400) * number as u32).await;
                task(client, end).await
            });
        }
        gather(running).await
    };
    let samples = all.run_until(run).await?;
    Ok(samples.report(begin.elapsed()))
}

async fn gather(mut running: JoinSet<anyhow::Result<Samples>>) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    while let Some(done) = running.join_next().await {
        samples.merge(done??);
    }
    Ok(samples)
}

/// One request each tick, whether or not earlier ones were answered. A request's time begins when it is sent.
pub(crate) async fn open(ask: &Ask, rate: u32, time: Duration) -> anyhow::Result<Value> {
    let request = client::request(ask, false);
    let idle: Rc<RefCell<Vec<Client>>> = Rc::default();
    let begin = Instant::now();
    let port = ask.port;
    let run = async move {
        let mut running = JoinSet::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while begin.elapsed() < time {
            ticks.tick().await;
            running.spawn_local(once(port, request.clone(), Rc::clone(&idle)));
        }
        gather(running).await
    };
    let samples = LocalSet::new().run_until(run).await?;
    Ok(samples.report(begin.elapsed()))
}

async fn once(port: u16, request: Bytes, idle: Rc<RefCell<Vec<Client>>>) -> anyhow::Result<Samples> {
    let kept = idle.borrow_mut().pop();
    let mut client = match kept {
        Some(client) => client,
        None => Client::connect(port).await?,
    };
    let mut samples = Samples::default();
    let begin = Instant::now();
    client.whole(&request).await?;
    samples.add_time(begin.elapsed());
    idle.borrow_mut().push(client);
    Ok(samples)
}

/// Opens streams, prints a line when all are open, and waits for the end of standard input.
pub(crate) async fn hold(ask: &Ask, streams: usize) -> anyhow::Result<()> {
    let request = client::request(ask, true);
    let mut held = Vec::new();
    for _ in 0..streams {
        let mut client = Client::connect(ask.port).await?;
        client.open(&request).await?;
        held.push(client);
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({"held": held.len()}))?;
    out.flush()?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
