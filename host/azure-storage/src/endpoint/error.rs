//! Errors as Azure Storage tells them: a status, a code for programs, a message for people.

use super::Stamp;
use super::answer::{self, Answer};
use crate::Service;
use crate::signing::header_name;
use crate::xml;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use ports::StoreError;

/// One kind of error. Each service has constants of its own besides those in [`code`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ErrorCode {
    /// The status of the answer.
    pub(crate) status: u16,
    /// What programs compare.
    pub(crate) name: &'static str,
    /// What Azure says.
    pub(crate) message: &'static str,
}

impl ErrorCode {
    pub(crate) const fn new(status: u16, name: &'static str, message: &'static str) -> ErrorCode {
        ErrorCode { status, name, message }
    }

    /// An error of this kind, with what is the matter in this case; empty: nothing to add.
    pub(crate) fn because(self, detail: &str) -> ServiceError {
        ServiceError { code: self, detail: detail.to_owned(), fields: Vec::new(), headers: Vec::new() }
    }
}

/// Why a request was not answered as it wished.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ServiceError {
    pub(crate) code: ErrorCode,
    /// Added to the code's message.
    pub(crate) detail: String,
    /// More elements of the answer, by name.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// More headers of the answer.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ServiceError {
    /// The error with one more element in its answer.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> ServiceError {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// The error with one more header in its answer.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> ServiceError {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The text of the answer: Azure's message, what is the matter, the id of the request and the time, in lines.
    pub(crate) fn message(&self, stamp: &Stamp) -> String {
        let ErrorCode { message, .. } = self.code;
        let gap = if self.detail.is_empty() { "" } else { " " };
        format!("{message}{gap}{}\nRequestId:{}\nTime:{}", self.detail, stamp.request_id, stamp.now)
    }

    /// The error of one operation of a batch, by its number from 0: as a table's client expects it in a part.
    pub(crate) fn answer_in_batch(&self, index: usize, stamp: &Stamp) -> Answer {
        self.json_answer(&format!("{index}:"), stamp)
    }

    /// The error as a table's client expects it; `before` comes before the message.
    fn json(&self, before: &str, stamp: &Stamp) -> String {
        // Without elements of their own, details go into the message.
        let details: String = self.fields.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
        let value = format!("{before}{}{details}", self.message(stamp));
        serde_json::json!({"odata.error": {"code": self.code.name, "message": {"lang": "en-US", "value": value}}})
            .to_string()
    }

    /// The whole answer.
    pub(crate) fn answer(&self, service: Service, stamp: &Stamp) -> Answer {
        match service {
            // Such an answer has no body.
            _ if self.code.status == 304 => self.with_headers(answer::empty(StatusCode::NOT_MODIFIED)),
            Service::Table => self.json_answer("", stamp),
            Service::Blob | Service::Queue => self.with_headers(answer::xml(self.status(), self.xml(stamp))),
        }
    }

    fn json_answer(&self, before: &str, stamp: &Stamp) -> Answer {
        let content_type = "application/json;odata=minimalmetadata;streaming=true;charset=utf-8";
        self.with_headers(answer::with_body(self.status(), content_type, self.json(before, stamp)))
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn with_headers(&self, mut answer: Answer) -> Answer {
        answer.headers_mut().insert(header_name::X_MS_ERROR_CODE, HeaderValue::from_static(self.code.name));
        for (name, value) in &self.headers {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
        answer
    }

    fn xml(&self, stamp: &Stamp) -> String {
        let mut writer = xml::Writer::with_capacity(512);
        writer.open("Error");
        writer.element("Code", self.code.name);
        writer.element("Message", &self.message(stamp));
        for (name, value) in &self.fields {
            writer.element(name, value);
        }
        writer.close("Error");
        writer.finish()
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> ServiceError {
        match &error {
            // Clients try these again.
            StoreError::Unavailable { .. } | StoreError::LeaseLost { .. } => {
                code::SERVER_BUSY.because(&error.to_string())
            }
            StoreError::Corrupt { .. } => code::INTERNAL_ERROR.because(&error.to_string()),
        }
    }
}

/// The kinds that more than one service has.
pub(crate) mod code {
    use super::ErrorCode;

    pub(crate) const AUTHENTICATION_FAILED: ErrorCode = ErrorCode::new(
        403,
        "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
    );
    pub(crate) const NO_AUTHENTICATION_INFORMATION: ErrorCode = ErrorCode::new(
        401,
        "NoAuthenticationInformation",
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    );
    pub(crate) const AUTHORIZATION_PERMISSION_MISMATCH: ErrorCode = ErrorCode::new(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
    );
    pub(crate) const INSUFFICIENT_ACCOUNT_PERMISSIONS: ErrorCode =
        ErrorCode::new(403, "InsufficientAccountPermissions", "Write operations are not allowed.");
    pub(crate) const INVALID_HEADER_VALUE: ErrorCode = ErrorCode::new(
        400,
        "InvalidHeaderValue",
        "The value for one of the HTTP headers is not in the correct format.",
    );
    pub(crate) const MISSING_REQUIRED_HEADER: ErrorCode = ErrorCode::new(
        400,
        "MissingRequiredHeader",
        "An HTTP header that's mandatory for this request is not specified.",
    );
    pub(crate) const EMPTY_METADATA_KEY: ErrorCode =
        ErrorCode::new(400, "EmptyMetadataKey", "The key for one of the metadata key-value pairs is empty.");
    pub(crate) const INVALID_METADATA: ErrorCode = ErrorCode::new(
        400,
        "InvalidMetadata",
        "The specified metadata is invalid. It includes characters that are not permitted.",
    );
    pub(crate) const METADATA_TOO_LARGE: ErrorCode = ErrorCode::new(
        400,
        "MetadataTooLarge",
        "The size of the specified metadata exceeds the maximum size permitted.",
    );
    pub(crate) const INVALID_QUERY_PARAMETER_VALUE: ErrorCode = ErrorCode::new(
        400,
        "InvalidQueryParameterValue",
        "Value for one of the query parameters specified in the request URI is invalid.",
    );
    pub(crate) const OUT_OF_RANGE_QUERY_PARAMETER_VALUE: ErrorCode = ErrorCode::new(
        400,
        "OutOfRangeQueryParameterValue",
        "One of the query parameters specified in the request URI is outside the permissible range.",
    );
    pub(crate) const MISSING_REQUIRED_QUERY_PARAMETER: ErrorCode = ErrorCode::new(
        400,
        "MissingRequiredQueryParameter",
        "A query parameter that's mandatory for this request is not specified.",
    );
    pub(crate) const INVALID_URI: ErrorCode =
        ErrorCode::new(400, "InvalidUri", "The requested URI does not represent any resource on the server.");
    pub(crate) const INVALID_RESOURCE_NAME: ErrorCode =
        ErrorCode::new(400, "InvalidResourceName", "The specified resource name contains invalid characters.");
    pub(crate) const OUT_OF_RANGE_INPUT: ErrorCode =
        ErrorCode::new(400, "OutOfRangeInput", "One of the request inputs is out of range.");
    pub(crate) const INVALID_INPUT: ErrorCode =
        ErrorCode::new(400, "InvalidInput", "One of the request inputs is not valid.");
    pub(crate) const INVALID_XML_DOCUMENT: ErrorCode =
        ErrorCode::new(400, "InvalidXmlDocument", "XML specified is not syntactically valid.");
    pub(crate) const INVALID_XML_NODE_VALUE: ErrorCode =
        ErrorCode::new(400, "InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.");
    pub(crate) const REQUEST_BODY_TOO_LARGE: ErrorCode = ErrorCode::new(
        413,
        "RequestBodyTooLarge",
        "The request body is too large and exceeds the maximum permissible limit.",
    );
    pub(crate) const RESOURCE_NOT_FOUND: ErrorCode =
        ErrorCode::new(404, "ResourceNotFound", "The specified resource does not exist.");
    pub(crate) const UNSUPPORTED_HTTP_VERB: ErrorCode =
        ErrorCode::new(405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.");
    pub(crate) const INTERNAL_ERROR: ErrorCode =
        ErrorCode::new(500, "InternalError", "The server encountered an internal error. Please retry the request.");
    pub(crate) const NOT_IMPLEMENTED: ErrorCode =
        ErrorCode::new(501, "NotImplemented", "The requested operation is not implemented on the specified resource.");
    pub(crate) const SERVER_BUSY: ErrorCode = ErrorCode::new(
        503,
        "ServerBusy",
        "The server is currently unable to receive requests. Please retry your request.",
    );
}
