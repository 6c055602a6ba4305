//! One HTTP/1.1 connection that is kept open, as a client under load uses it.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A connection and the task that drives it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    driver: JoinHandle<()>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // The other side may close first; then the next request says so.
            let _closed = connection.await;
        });
        Ok(Connection { sender, address, driver })
    }

    /// To whom.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one request and reads the whole answer.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: &str) -> Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        self.exchange(request).await
    }

    /// Sends a request that is complete and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Starts an orchestration and waits for its output.
    pub(crate) async fn run_orchestration(&mut self, name: &str, input: &str) -> Result<Bytes> {
        let path = format!("/runtime/webhooks/durabletask/orchestrators/{name}?timeout=600&pollingInterval=1");
        let (status, body) = self.send(Method::POST, &path, input).await?;
        if status != StatusCode::OK {
            bail!("{name}({input}) answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
