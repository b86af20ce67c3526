using System.Collections.Concurrent;
using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

/// <summary>
/// Whether a CA can be reached at all. While not even a connection comes about, a few names find out for all of them, instead of each knocking by itself; as
/// soon as anything is answered everybody goes on. About connections only: what a CA says about one name never delays another. Thread-safe.
/// </summary>
internal sealed class AuthorityReach(TimeProvider time, Func<double> random)
{
    private readonly ConcurrentDictionary<Uri, (int Failures, DateTimeOffset Until)> _down = new();

    /// <summary>When a connection is tried again; null where none has failed lately.</summary>
    public DateTimeOffset? DownUntil(Uri directory) => _down.TryGetValue(directory, out var down) ? down.Until : null;

    public void Note(Uri directory, AcmeFailure? failure)
    {
        if (failure is not { Class: AcmeFailureClass.Network, Code: "connect_failed" or "dns_failed" })
        {
            _down.TryRemove(directory, out _);
            return;
        }
        var now = time.GetUtcNow();
        _down.AddOrUpdate(
            directory,
            _ => (1, now + Wait(1)),
            // Those that knocked together count once.
            (_, down) => down.Until > now ? down : (down.Failures + 1, now + Wait(down.Failures + 1)));
    }

    private TimeSpan Wait(int failures) => BackoffPolicy.WaitAfter(AcmeFailureClass.Network, failures, null, random());
}
