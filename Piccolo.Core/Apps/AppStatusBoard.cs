using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps;

/// <summary>The observed status of every app, as immutable snapshots. Written by the supervisor only; thread-safe.</summary>
public sealed class AppStatusBoard(TimeProvider time)
{
    private ImmutableDictionary<string, AppStatus> _statuses = ImmutableDictionary.Create<string, AppStatus>(StringComparer.Ordinal);

    /// <summary>Raised after each change of any status.</summary>
    public ChangeSignal Changed { get; } = new();

    public ImmutableDictionary<string, AppStatus> Current => Volatile.Read(ref _statuses);

    /// <summary>The app's status; <see cref="AppState.Created"/> while nothing was seen of it.</summary>
    public AppStatus Of(AppRecord app) => Find(app.Name) ?? new AppStatus(AppState.Created, AppReason.None, "", app.CreatedAt, null, null);

    public AppStatus? Find(string app) => Current.GetValueOrDefault(app);

    internal void Set(
        string app, AppState state, AppReason reason = AppReason.None, string detail = "", string? containerId = null,
        DateTimeOffset? nextAttempt = null,
        ImmutableArray<ServiceStatus> services = default)
    {
        var now = time.GetUtcNow();
        var changed = ImmutableInterlocked.Update(ref _statuses, statuses =>
        {
            var known = statuses.GetValueOrDefault(app);
            var since = known is not null && known.State == state && known.Reason == reason ? known.Since : now;
            return statuses.SetItem(app, new AppStatus(state, reason, detail, since, containerId, nextAttempt)
            {
                Services = services.IsDefault ? [] : services,
            });
        });
        if (changed) Changed.Raise();
    }

    internal void Forget(string app)
    {
        if (ImmutableInterlocked.TryRemove(ref _statuses, app, out _)) Changed.Raise();
    }
}
