using System.Collections.Concurrent;
using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps;

/// <summary>The observed status of every app, as immutable snapshots. Written by the supervisor only; thread-safe.</summary>
public sealed class AppStatusBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _begun = new(StringComparer.Ordinal);
    private ImmutableDictionary<string, AppStatus> _statuses = ImmutableDictionary.Create<string, AppStatus>(StringComparer.Ordinal);

    /// <summary>Raised after each change of any status.</summary>
    public ChangeSignal Changed { get; } = new();

    public ImmutableDictionary<string, AppStatus> Current => Volatile.Read(ref _statuses);

    /// <summary>The app's status; <see cref="AppState.Installing"/> while nothing was seen of it.</summary>
    public AppStatus Of(AppRecord app) => Find(app.Name) ?? new AppStatus(AppState.Installing, AppReason.None, "", app.CreatedAt, null, null);

    public AppStatus? Find(string app) => Current.GetValueOrDefault(app);

    /// <summary>What is said of the app from now on is about this word of the owner's.</summary>
    internal void Begin(string app, DateTimeOffset revision) => _begun[app] = revision;

    /// <summary>The work on the app has come so far. It does not go back but for another word of the owner's.</summary>
    internal void At(string app, AppPhase phase)
    {
        if (Find(app) is { } known && known.Revision == _begun.GetValueOrDefault(app) && known.Phase >= phase) return;
        Change(app, isResult: false, status => status with { Phase = phase });
    }

    /// <param name="services">Those that the app is to have, in the order of their start, and whether each runs already.</param>
    internal void Plan(string app, IEnumerable<(string Name, bool Runs)> services) => Change(app, isResult: false, status => status with
    {
        Services =
        [
            .. services.Select(service => status.Services.FirstOrDefault(s => s.Name == service.Name) is { } known && service.Runs
                ? known with { Pull = null, HasStarted = false }
                : new ServiceStatus(service.Name, AppState.Installing, "", null, null)),
        ],
    });

    /// <summary>What was seen of one service; nothing else is said of the app.</summary>
    internal void Set(string app, ServiceStatus service) =>
        Change(app, isResult: false, status => status with { Services = With(status.Services, service) });

    /// <summary>What is done to one service, and what that makes of the app.</summary>
    internal void Set(string app, AppState state, string detail, ServiceStatus service) => Change(app, isResult: true, status => status with
    {
        State = state,
        Reason = AppReason.None,
        Detail = detail,
        NextAttempt = null,
        Services = With(status.Services, service),
    });

    /// <param name="services">Null = as they were last seen.</param>
    internal void Set(
        string app, AppState state, AppReason reason = AppReason.None, string detail = "", string? containerId = null,
        DateTimeOffset? nextAttempt = null, Func<ImmutableArray<ServiceStatus>, ImmutableArray<ServiceStatus>>? services = null, int failures = 0) =>
        Change(app, isResult: true, status => status with
        {
            State = state,
            Reason = reason,
            Detail = detail,
            ContainerId = containerId,
            NextAttempt = nextAttempt,
            Services = services is null ? status.Services : services(status.Services),
            Failures = failures,
        });

    internal void Forget(string app)
    {
        _begun.TryRemove(app, out _);
        if (ImmutableInterlocked.TryRemove(ref _statuses, app, out _)) Changed.Raise();
    }

    internal static ImmutableArray<ServiceStatus> With(ImmutableArray<ServiceStatus> services, ServiceStatus one) =>
        services.FirstOrDefault(s => s.Name == one.Name) is { } known ? services.Replace(known, one) : services.Add(one);

    private void Change(string app, bool isResult, Func<AppStatus, AppStatus> change)
    {
        var now = time.GetUtcNow();
        var begun = _begun.GetValueOrDefault(app);
        var changed = ImmutableInterlocked.Update(ref _statuses, statuses =>
        {
            var known = statuses.GetValueOrDefault(app);
            var basis = known ?? new AppStatus(AppState.Installing, AppReason.None, "", now, null, null);
            if (basis.Revision != begun) basis = basis with { Revision = begun, Phase = AppPhase.None, IsSettled = false };
            var next = change(isResult ? basis with { IsSettled = true } : basis);
            return statuses.SetItem(app, next with
            {
                Since = known is not null && known.State == next.State && known.Reason == next.Reason ? known.Since : now,
                Services = Stamped(next.Services, known?.Services ?? [], now),
            });
        });
        if (changed) Changed.Raise();
    }

    /// <summary>The same array where nothing has changed, so that equal statuses are equal.</summary>
    private static ImmutableArray<ServiceStatus> Stamped(ImmutableArray<ServiceStatus> services, ImmutableArray<ServiceStatus> known, DateTimeOffset now)
    {
        ImmutableArray<ServiceStatus> stamped =
        [
            .. services.Select(service => service with
            {
                Since = known.FirstOrDefault(k => k.Name == service.Name) is { } before && before.State == service.State && before.Reason == service.Reason
                    ? before.Since : now,
            }),
        ];
        return stamped.SequenceEqual(known) ? known : stamped;
    }
}
