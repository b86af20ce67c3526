using System.Collections.Concurrent;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>
/// Anti-replay nonces (RFC 8555, 6.5): each answer brings one, a small pool keeps them, a request of its own only where the pool is empty. Thread-safe.
/// </summary>
internal sealed class NonceSource(AcmeHttp http)
{
    public const int MaxKept = 16;
    private const int MaxNonceChars = 512;

    // The newest first: nonces age, and a CA forgets the oldest.
    private readonly ConcurrentStack<string> _kept = new();

    public int Kept => _kept.Count;

    /// <summary>Keeps the nonce of an answer. What is not base64url is dropped, as the RFC demands.</summary>
    public void Add(string? nonce)
    {
        if (nonce is not { Length: > 0 and <= MaxNonceChars } || !nonce.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return;
        if (_kept.Count >= MaxKept) _kept.Clear();
        _kept.Push(nonce);
    }

    public async Task<AcmeResult<string>> TakeAsync(AcmeDirectory directory, CancellationToken cancellationToken)
    {
        if (_kept.TryPop(out var kept)) return kept;
        var sent = await http.SendAsync(HttpMethod.Head, directory.NewNonce, null, null, cancellationToken);
        if (sent.Failure is { } failure) return failure;
        if (!sent.Value.IsSuccess) return AcmeErrors.FromAnswer(sent.Value);
        Add(sent.Value.Nonce);
        return _kept.TryPop(out var fresh) ? fresh : AcmeFailure.Bad("no_nonce", "The CA gives no usable nonce.");
    }
}
