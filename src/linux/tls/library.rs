//! What is used of OpenSSL 3.
#![expect(non_snake_case, reason = "functions have the names that the library gives them")]

use std::ffi::{CStr, CString, c_void};
use std::io;
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use libc::{c_char, c_int, c_long, c_ulong, size_t};

use crate::host::Error;

/// The library by the name that Debian's `libssl3` and everybody else's OpenSSL 3 have. It brings libcrypto along.
const NAME: &CStr = c"libssl.so.3";

/// Something that only the library looks into.
#[repr(C)]
pub(super) struct Opaque<T> {
    _data: [u8; 0],
    _of: PhantomData<T>,
    /// It stays where it is, and on its thread.
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

/// `SSL_METHOD`.
type Method = Opaque<[(); 0]>;
/// `SSL_CTX`.
type SslContext = Opaque<[(); 1]>;
/// `SSL`.
pub(super) type Ssl = Opaque<[(); 2]>;
/// `BIO_METHOD`.
type BioMethod = Opaque<[(); 3]>;
/// `BIO`.
pub(super) type Bio = Opaque<[(); 4]>;

/// `SSL_ERROR_WANT_READ`.
pub(super) const WANT_READ: c_int = 2;
/// `SSL_ERROR_ZERO_RETURN`.
pub(super) const ZERO_RETURN: c_int = 6;
/// `SSL_CTRL_SET_TLSEXT_HOSTNAME`.
const SET_HOSTNAME: c_int = 55;
/// `TLSEXT_NAMETYPE_host_name`.
const HOST_NAME: c_long = 0;

/// Declares the functions of [`Library`], and how they are found.
macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions, as OpenSSL's manual declares them.
        pub(super) struct Library {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Library {
            /// # Safety
            /// `library` is OpenSSL 3, as `dlopen` gave it, and stays loaded.
            unsafe fn find(library: NonNull<c_void>) -> io::Result<Self> {
                $(
                    let name = concat!(stringify!($name), "\0");
                    // SAFETY: a loaded library, and a C string.
                    let function = unsafe { libc::dlsym(library.as_ptr(), name.as_ptr().cast()) };
                    if function.is_null() {
                        return Err(io::Error::other(concat!("it has no ", stringify!($name))));
                    }
                    // SAFETY: a function of this name in OpenSSL 3 is declared like this.
                    let $name = unsafe {
                        mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(function)
                    };
                )*
                Ok(Self { $($name),* })
            }
        }
    };
}

functions! {
    TLS_client_method() -> *const Method;
    SSL_CTX_new(*const Method) -> *mut SslContext;
    SSL_CTX_free(*mut SslContext);
    SSL_new(*mut SslContext) -> *mut Ssl;
    SSL_free(*mut Ssl);
    SSL_ctrl(*mut Ssl, c_int, c_long, *mut c_void) -> c_long;
    SSL_set_bio(*mut Ssl, *mut Bio, *mut Bio);
    SSL_connect(*mut Ssl) -> c_int;
    SSL_read(*mut Ssl, *mut c_void, c_int) -> c_int;
    SSL_write(*mut Ssl, *const c_void, c_int) -> c_int;
    SSL_get_error(*const Ssl, c_int) -> c_int;
    BIO_s_mem() -> *const BioMethod;
    BIO_new(*const BioMethod) -> *mut Bio;
    BIO_free(*mut Bio) -> c_int;
    BIO_read(*mut Bio, *mut c_void, c_int) -> c_int;
    BIO_write(*mut Bio, *const c_void, c_int) -> c_int;
    ERR_clear_error();
    ERR_get_error() -> c_ulong;
    ERR_error_string_n(c_ulong, *mut c_char, size_t);
}

/// A session and its buffers, which belong to it.
pub(super) struct Parts {
    pub(super) ssl: NonNull<Ssl>,
    pub(super) inbox: NonNull<Bio>,
    pub(super) outbox: NonNull<Bio>,
}

impl Library {
    /// The library, loaded when it is asked for first.
    ///
    /// # Errors
    /// It is not there, or another one than it should be.
    pub(super) fn get() -> Result<&'static Self, Error> {
        // What is loaded stays: it must not be unloaded, and what loading found does not change.
        static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| Self::load().map_err(|error| error.to_string()));
        let named = NAME.to_string_lossy();
        library.as_ref().map_err(|why| Error::new("use", named, io::Error::other(why.as_str())))
    }

    fn load() -> io::Result<Self> {
        // SAFETY: a C string. What the library does when it is loaded is safe at any time.
        let library = unsafe { libc::dlopen(NAME.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let Some(library) = NonNull::new(library) else {
            // SAFETY: gives null, or a C string that stays until this thread asks for something of that kind again.
            let why = unsafe {
                let why = libc::dlerror();
                (!why.is_null()).then(|| CStr::from_ptr(why).to_string_lossy().into_owned())
            };
            return Err(io::Error::other(format!("{} (Debian: libssl3)", why.unwrap_or_default())));
        };
        // SAFETY: this name is that of OpenSSL 3 alone, and nobody closes it.
        unsafe { Self::find(library) }
    }

    /// A session as a client, which has done nothing yet, with the server `name` if that is to be asked for.
    pub(super) fn session(&self, name: Option<&str>) -> io::Result<Parts> {
        let name = name.map(CString::new).transpose()?;
        self.forget_errors();
        // SAFETY: each gets what the one before has made, if it has made it. The session holds its context, so that this
        // one's hold may be given up in any case.
        let ssl = unsafe {
            let context = (self.SSL_CTX_new)((self.TLS_client_method)());
            if context.is_null() {
                return Err(self.error());
            }
            let ssl = (self.SSL_new)(context);
            (self.SSL_CTX_free)(context);
            NonNull::new(ssl).ok_or_else(|| self.error())?
        };
        // SAFETY: both buffers are new and go to the session, which frees them; a session that comes to nothing is freed.
        unsafe {
            let inbox = NonNull::new((self.BIO_new)((self.BIO_s_mem)()));
            let outbox = NonNull::new((self.BIO_new)((self.BIO_s_mem)()));
            if let (Some(inbox), Some(outbox)) = (inbox, outbox) {
                (self.SSL_set_bio)(ssl.as_ptr(), inbox.as_ptr(), outbox.as_ptr());
                // The library copies the name.
                let wanted = name.as_ref().map_or(ptr::null_mut(), |name| name.as_ptr().cast_mut().cast());
                if name.is_none() || (self.SSL_ctrl)(ssl.as_ptr(), SET_HOSTNAME, HOST_NAME, wanted) == 1 {
                    return Ok(Parts { ssl, inbox, outbox });
                }
            } else {
                for bio in [inbox, outbox].into_iter().flatten() {
                    (self.BIO_free)(bio.as_ptr());
                }
            }
            let error = self.error();
            (self.SSL_free)(ssl.as_ptr());
            Err(error)
        }
    }

    /// Takes bytes out of `bio`, into `buffer`; none: it is empty.
    pub(super) fn read<'a>(&self, bio: NonNull<Bio>, buffer: &'a mut [u8]) -> &'a [u8] {
        let len = super::length(buffer);
        // SAFETY: a buffer of a session that is alive; there is room for `len` bytes.
        let read = unsafe { (self.BIO_read)(bio.as_ptr(), buffer.as_mut_ptr().cast(), len) };
        buffer.get(..usize::try_from(read).unwrap_or(0)).unwrap_or_default()
    }

    /// Puts all `bytes` into `bio`, which grows.
    pub(super) fn write(&self, bio: NonNull<Bio>, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let len = super::length(bytes);
        // SAFETY: a buffer of a session that is alive; there are `len` bytes.
        let written = unsafe { (self.BIO_write)(bio.as_ptr(), bytes.as_ptr().cast(), len) };
        if written == len { Ok(()) } else { Err(self.error()) }
    }

    /// Empties this thread's queue of errors, so that what is found there next is new.
    pub(super) fn forget_errors(&self) {
        // SAFETY: no arguments; about this thread alone.
        unsafe { (self.ERR_clear_error)() };
    }

    /// The first error of this thread's queue.
    pub(super) fn error(&self) -> io::Error {
        let mut text = [0_u8; 256];
        // SAFETY: the text is ended within the length given.
        unsafe {
            let error = (self.ERR_get_error)();
            if error == 0 {
                return io::ErrorKind::UnexpectedEof.into();
            }
            (self.ERR_error_string_n)(error, text.as_mut_ptr().cast(), text.len());
        }
        let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
        io::Error::other(text.to_string_lossy().into_owned())
    }
}
