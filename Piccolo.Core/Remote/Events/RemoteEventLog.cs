using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote.Events;

/// <summary>
/// What happened lately to the way in from outside: a bounded ring in the sealed store, so that it survives restarts and shows nobody anything while
/// locked. Recording never fails its caller: a store that takes no writes loses the event, and the log says so. Thread-safe.
/// </summary>
public sealed class RemoteEventLog(SealedStore store, IOptions<RemoteOptions> options, TimeProvider time, ILogger<RemoteEventLog> logger)
{
    private const int MaxTextChars = 512;

    private static readonly StoreCollection<RemoteEvent> Events = new("remote-events");

    private readonly Lock _gate = new();

    /// <summary>Raised after each event.</summary>
    public ChangeSignal Changed { get; } = new();

    /// <summary>Newest first.</summary>
    /// <exception cref="StoreSealedException">Locked.</exception>
    public IReadOnlyList<RemoteEvent> Page(int limit) => [.. store.List(Events).OrderByDescending(e => e.Sequence).Take(limit)];

    /// <summary>Records what somebody did.</summary>
    public void Add(string source, string subject, string message, string? nextStep = null) =>
        Write(RemoteEventLevel.Info, source, subject, null, message, nextStep);

    /// <summary>Records a state, unless the newest event of this source and subject says the same.</summary>
    public void Note(RemoteEventLevel level, string source, string subject, string state, string message, string? nextStep = null) =>
        Write(level, source, subject, state, message, nextStep);

    private void Write(RemoteEventLevel level, string source, string subject, string? state, string message, string? nextStep)
    {
        try
        {
            lock (_gate)
            {
                if (!store.IsOpen) return;
                var kept = store.List(Events).OrderBy(e => e.Sequence).ToImmutableArray();
                if (state is not null && kept.LastOrDefault(e => e.Source == source && e.Subject == subject && e.State is not null)?.State == state) return;
                var next = new RemoteEvent(
                    kept.IsEmpty ? 1 : kept[^1].Sequence + 1, time.GetUtcNow(), level, source, subject, state, Bound(message),
                    nextStep is null ? null : Bound(nextStep));
                store.Commit(transaction =>
                {
                    transaction.Put(Events, Key(next.Sequence), next);
                    foreach (var old in kept.Take(kept.Length + 1 - options.Value.EventsKept)) transaction.Delete(Events, Key(old.Sequence));
                });
            }
            Changed.Raise();
        }
        catch (StoreSealedException)
        {
            // Locked between the question and the commit.
        }
        catch (StoreFaultException e)
        {
            logger.EventNotWritten(message, e.Message);
        }
    }

    /// <summary>Words of others are in some of the messages.</summary>
    private static string Bound(string text) => new([.. text.Take(MaxTextChars).Select(c => char.IsControl(c) ? ' ' : c)]);

    private static string Key(long sequence) => sequence.ToString(CultureInfo.InvariantCulture);
}
