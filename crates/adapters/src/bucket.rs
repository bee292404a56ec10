//! A bucket of an S3-compatible store as a shelf for backups.
//!
//! What is written is uploaded in parts and becomes an object when it is whole; what is broken off is
//! called off. Calls block, on a small runtime of their own, so they are made from a thread that may.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use futures::{StreamExt as _, stream::BoxStream};
use object_store::{
    ClientOptions, ObjectStore as _, ObjectStoreExt as _, RetryConfig, WriteMultipart,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use protocol::shelf::{Draft, Shelf, Shelved};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::{Builder, Runtime};

/// The size of one part. A backup may have 10,000 of them.
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Parts that are on their way at the same time.
const PARTS_AT_ONCE: usize = 2;
/// How long one request is tried again.
const RETRY_TIME_MAX: Duration = Duration::from_secs(60);

/// Which bucket, and how it is reached.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// The bucket's name.
    pub bucket: String,
    /// What stands before every name in it; may be empty.
    pub prefix: String,
    /// The service; `None` for Amazon's own.
    pub endpoint: Option<String>,
    /// The region; for services of others often `auto` or `us-east-1`.
    pub region: String,
    /// The id of the key and the key. Without them the machine's own role is asked.
    pub key: Option<(SecretString, SecretString)>,
}

/// Why there is no bucket.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The settings do not fit together.
    #[error("the bucket's settings cannot be used")]
    Settings(#[source] object_store::Error),
    /// The system refused.
    #[error("the bucket cannot be reached from here")]
    System(#[from] io::Error),
}

/// A shelf in a bucket.
pub struct Bucket {
    line: Arc<Line>,
    place: String,
    prefix: Path,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The service, and the runtime that talks to it.
struct Line {
    store: AmazonS3,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Line {
    fn wait<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> io::Result<T> {
        let runtime = self.runtime.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        runtime.block_on(work).map_err(in_io)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropped where nobody may wait, it must not.
            runtime.shutdown_background();
        }
    }
}

fn in_io(error: object_store::Error) -> io::Error {
    let kind = if matches!(error, object_store::Error::NotFound { .. }) {
        io::ErrorKind::NotFound
    } else {
        io::ErrorKind::Other
    };
    io::Error::new(kind, error)
}

impl Bucket {
    /// Makes it ready. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// If the settings do not fit together, or the system refuses.
    pub fn new(config: &BucketConfig) -> Result<Self, BucketError> {
        let BucketConfig { bucket, prefix, endpoint, region, key } = config;
        let is_plain = endpoint.as_ref().is_some_and(|it| it.starts_with("http://"));
        let client = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_connect_timeout(Duration::from_secs(10))
            .with_timeout(Duration::from_secs(300));
        let retry = RetryConfig { retry_timeout: RETRY_TIME_MAX, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some((id, secret)) = key {
            builder = builder
                .with_access_key_id(id.expose_secret())
                .with_secret_access_key(secret.expose_secret());
        }
        let store = builder.build().map_err(BucketError::Settings)?;
        let runtime = Some(Builder::new_current_thread().enable_all().build()?);
        let prefix = Path::from(prefix.as_str());
        let place = format!("the bucket s3://{bucket}/{prefix}");
        Ok(Self { line: Arc::new(Line { store, runtime }), place, prefix })
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }
}

impl Shelf for Bucket {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn list(&self) -> io::Result<Vec<Shelved>> {
        let found = self.line.store.list_with_delimiter(Some(&self.prefix));
        let found = self.line.wait(found)?.objects;
        let named = found.into_iter().filter_map(|it| {
            let name = it.location.filename()?.to_owned();
            Some(Shelved { name, bytes: it.size })
        });
        Ok(named.collect())
    }

    fn draft(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        let path = self.path(name);
        let upload = self.line.wait(async { self.line.store.put_multipart(&path).await })?;
        let upload = Some(WriteMultipart::new_with_chunk_size(upload, PART_BYTES));
        Ok(Box::new(Upload { line: Arc::clone(&self.line), upload }))
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let path = self.path(name);
        let found = self.line.wait(async { self.line.store.get(&path).await })?;
        let (line, stream) = (Arc::clone(&self.line), found.into_stream());
        Ok(Box::new(Download { line, stream, piece: Bytes::new() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name);
        match self.line.wait(async { self.line.store.delete(&path).await }) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

struct Upload {
    line: Arc<Line>,
    /// `None` once it is kept.
    upload: Option<WriteMultipart>,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let upload = self.upload.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        self.line.wait(async {
            upload.wait_for_capacity(PARTS_AT_ONCE).await?;
            upload.write(bytes);
            Ok(())
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Draft for Upload {
    fn keep(mut self: Box<Self>) -> io::Result<()> {
        let upload = self.upload.take().ok_or(io::ErrorKind::BrokenPipe)?;
        self.line.wait(upload.finish())?;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        if let Err(error) = self.line.wait(upload.abort()) {
            // lost-ok: the parts have no name; a bucket's own rule removes what was left behind.
            tracing::warn!(error.message = %error, "an upload could not be called off");
        }
    }
}

struct Download {
    line: Arc<Line>,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Download {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let next = self.line.wait(async { self.stream.next().await.transpose() })?;
            match next {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(bytes.len());
        self.piece.copy_to_slice(bytes.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        process::{Child, Command, Stdio},
    };

    use super::*;

    /// A server that speaks S3, of the Python package `moto`. Ends with the test.
    struct Server {
        child: Child,
        url: String,
    }

    impl Server {
        fn start() -> Self {
            let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let python = std::env::var("GUILDHALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
            let child = Command::new(python)
                .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let it = Self { child, url: format!("http://127.0.0.1:{port}") };
            it.make_bucket();
            it
        }

        fn make_bucket(&self) {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let url = format!("{}/hall", self.url);
            runtime.block_on(async {
                let made = async {
                    while client.put(&url).send().await.is_err() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                };
                tokio::time::timeout(Duration::from_secs(60), made).await.unwrap();
            });
        }

        fn bucket(&self, name: &str) -> Bucket {
            let secret = |text: &str| SecretString::from(text);
            Bucket::new(&BucketConfig {
                bucket: name.to_owned(),
                prefix: "some/where".to_owned(),
                endpoint: Some(self.url.clone()),
                region: "us-east-1".to_owned(),
                key: Some((secret("id"), secret("key"))),
            })
            .unwrap()
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }

    #[test]
    #[ignore = "needs Python's moto[server]; scripts/test installs it and runs this"]
    fn a_bucket_keeps_what_is_finished_and_nothing_else() {
        let server = Server::start();
        let bucket = server.bucket("hall");
        assert_eq!(bucket.list().unwrap(), []);
        let mut broken_off = bucket.draft("half").unwrap();
        broken_off.write_all(&[1; 1_000]).unwrap();
        drop(broken_off);
        assert_eq!(bucket.list().unwrap(), []);
        // More than two parts, in pieces that do not fit them.
        let bytes: Vec<u8> = (0..40_000_003_u32).map(|it| it.to_be_bytes()[3]).collect();
        let mut draft = bucket.draft("whole").unwrap();
        bytes.chunks(777_777).for_each(|piece| draft.write_all(piece).unwrap());
        draft.keep().unwrap();
        let mut small = bucket.draft("small").unwrap();
        small.write_all(b"small").unwrap();
        small.keep().unwrap();
        let mut listed = bucket.list().unwrap();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let named = |name: &str, bytes| Shelved { name: name.to_owned(), bytes };
        assert_eq!(listed, [named("small", 5), named("whole", bytes.len() as u64)]);
        let mut read = Vec::new();
        bucket.read("whole").unwrap().read_to_end(&mut read).unwrap();
        assert!(read == bytes, "what is read is what was written");
        for _ in 0..2 {
            bucket.remove("whole").unwrap();
        }
        let gone = bucket.read("whole").err().unwrap();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        let missing = server.bucket("nowhere");
        assert!(missing.draft("x").is_err() && missing.place().contains("s3://nowhere/some/where"));
    }
}
