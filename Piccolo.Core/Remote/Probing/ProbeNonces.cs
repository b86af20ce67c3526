using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Piccolo.Core.Remote.Probing;

/// <summary>
/// The questions that this device has just sent itself by way of the internet. Each is answered only for the name that it was sent to, with a word that
/// only this process knows; nobody else can tell that the path exists. Thread-safe.
/// </summary>
public sealed class ProbeNonces
{
    public const string PathPrefix = "/.well-known/piccolo-probe/";

    private const int RandomBytes = 16;

    private readonly ConcurrentDictionary<(string Host, string Nonce), string> _pending = new();

    /// <summary>What to answer; null when no probe with this nonce is pending.</summary>
    /// <param name="host">In normal form.</param>
    public string? Find(string host, string nonce) => _pending.GetValueOrDefault((host, nonce));

    internal PendingProbe Begin(string host)
    {
        var probe = new PendingProbe(
            this, host, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes)),
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes)));
        _pending[(host, probe.Nonce)] = probe.Answer;
        return probe;
    }

    /// <summary>Stands until disposed.</summary>
    internal sealed class PendingProbe(ProbeNonces owner, string host, string nonce, string answer) : IDisposable
    {
        public string Nonce => nonce;

        public string Answer => answer;

        public void Dispose() => owner._pending.TryRemove((host, nonce), out _);
    }
}
