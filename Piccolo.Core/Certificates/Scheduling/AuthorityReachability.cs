using System.Collections.Concurrent;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>
/// Whether a CA can be reached at all. While not even a connection comes about, a few names find out for all of them, instead of each trying by itself; as
/// soon as anything is answered everybody goes on. About connections only: what a CA says about one name never delays another. Thread-safe.
/// </summary>
internal sealed class AuthorityReachability(TimeProvider time, Func<double> random)
{
    private readonly ConcurrentDictionary<Uri, Outage> _down = new();

    /// <summary>When a connection is tried again; null where none has failed lately.</summary>
    /// <param name="lifetime">Of the certificate that is to be renewed: a short one waits shorter, and finds out for the others.</param>
    public DateTimeOffset? DownUntil(Uri directory, TimeSpan? lifetime) => _down.TryGetValue(directory, out var down) ? down.Until(lifetime) : null;

    public void Note(Uri directory, AcmeFailure? failure, TimeSpan? lifetime)
    {
        if (failure is not { Class: AcmeFailureClass.Network, Code: "connect_failed" or "dns_failed" })
        {
            _down.TryRemove(directory, out _);
            return;
        }
        var next = new Outage(1, time.GetUtcNow(), random());
        // Attempts at the same time count once.
        _down.AddOrUpdate(directory, _ => next, (_, down) => down.Until(lifetime) > next.At ? down : next with { Failures = down.Failures + 1 });
    }

    private sealed record Outage(int Failures, DateTimeOffset At, double Random)
    {
        public DateTimeOffset Until(TimeSpan? lifetime) => At + BackoffPolicy.WaitAfter(AcmeFailureClass.Network, "", Failures, null, Random, lifetime);
    }
}
