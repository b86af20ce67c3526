using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>Signed requests: nonce, signature, and the retry that a rejected nonce asks for (RFC 8555, 6.2 to 6.5). Thread-safe.</summary>
internal sealed class AcmeRequests(AcmeHttp http, NonceSource nonces, ILogger logger)
{
    /// <summary>Enough for a CA that rejects 60 % of all nonces, few enough for one that rejects them all.</summary>
    public const int MaxNonceTries = 20;

    /// <param name="account">The account's URL; null signs with the bare key.</param>
    /// <param name="payload">Null for POST-as-GET.</param>
    /// <returns>A 2xx answer, or what it was instead.</returns>
    public async Task<AcmeResult<AcmeAnswer>> PostAsync(
        AcmeDirectory directory, JwsSigner signer, Uri? account, Uri url, byte[]? payload, string accept, CancellationToken cancellationToken)
    {
        AcmeFailure? refused = null;
        for (var tries = 1; tries <= MaxNonceTries; tries++)
        {
            var nonce = await nonces.TakeAsync(directory, cancellationToken);
            if (nonce.Failure is { } none) return none;
            var sent = await http.SendAsync(HttpMethod.Post, url, signer.Sign(url, nonce.Value, account, payload), accept, cancellationToken);
            if (sent.Failure is { } failure) return failure;
            nonces.Add(sent.Value.Nonce);
            if (sent.Value.IsSuccess) return sent.Value;
            refused = AcmeErrors.FromAnswer(sent.Value);
            if (refused.Problem?.Type != AcmeErrors.BadNonce) return refused;
            logger.NonceRejected(tries);
        }
        return refused! with { Code = "nonce_rejected", Detail = $"The CA rejected {MaxNonceTries} nonces of its own in a row." };
    }
}
