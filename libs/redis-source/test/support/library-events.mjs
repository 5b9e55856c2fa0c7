// The source then leaves its messages to the events of the client library, as it does if that looks different one day.
process.env.MILLRACE_LIBRARY_EVENTS = "1";
