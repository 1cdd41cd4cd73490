/* The library's crypto provider on OpenSSL's libcrypto. */
#ifndef CS_PROVIDER_H
#define CS_PROVIDER_H

#include <signal/signal_protocol.h>

/* Gives the context its provider. 0, or negative. */
int cs_provider_set(signal_context *context);

#endif
