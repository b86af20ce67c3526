using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes;

/// <summary>A container engine in memory that records what it was asked and fails where a test says so.</summary>
internal sealed class RecordingContainerRuntime : IContainerRuntime
{
    public static readonly ContainerFault Unreachable = new(ContainerFaultKind.EngineUnreachable, "The container engine does not answer.", "Start it.");

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ObservedContainer> _containers = [];
    private readonly HashSet<string> _images = [];
    private readonly List<string> _calls = [];
    private int _nextId;

    public bool IsConfigured => true;

    public ChangeSignal Changed { get; } = new();

    /// <summary>Raised after each call.</summary>
    public ChangeSignal Called { get; } = new();

    /// <summary>What every call answers while it is set.</summary>
    public ContainerFault? EngineFault { get; set; }

    /// <summary>What the named call (pull, create, start, stop, remove, remove-with-volumes) answers while it is set.</summary>
    public Dictionary<string, ContainerFault> Faults { get; } = [];

    /// <summary>Pulls wait for this.</summary>
    public Task PullGate { get; set; } = Task.CompletedTask;

    /// <summary>Stops wait for this.</summary>
    public Task StopGate { get; set; } = Task.CompletedTask;

    /// <summary>Containers end at once with this code.</summary>
    public int? ExitAtOnce { get; set; }

    /// <summary>How many calls of one app overlapped; must stay 0.</summary>
    public int Overlaps { get; private set; }

    private readonly HashSet<string> _busy = [];

    public ImmutableArray<string> Calls
    {
        get
        {
            lock (_gate) return [.. _calls];
        }
    }

    public ImmutableArray<ObservedContainer> Containers
    {
        get
        {
            lock (_gate) return [.. _containers.Values];
        }
    }

    public void AddImage(string image)
    {
        lock (_gate) _images.Add(image);
    }

    /// <summary>As if somebody else had made it: the app runs although we were not asked.</summary>
    public void AddRunning(InstanceId instance, string app, string hash = "old", string? name = null)
    {
        lock (_gate) Put(new ObservedContainer($"id{++_nextId}", name ?? ContainerSpec.NameOf(instance, app), app, hash, true, null));
        Changed.Raise();
    }

    /// <summary>The app's container ends by itself.</summary>
    public void Exit(string app, int code)
    {
        lock (_gate) Put(_containers.Values.Single(c => c.App == app) with { IsRunning = false, ExitCode = code });
        Changed.Raise();
    }

    public Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult<ContainerResult<ImmutableArray<ObservedContainer>>>(EngineFault is { } fault ? fault
                : ImmutableArray.CreateRange(_containers.Values));
    }

    public Task<ContainerResult<ObservedContainer?>> FindAsync(string app, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if ((EngineFault ?? Faults.GetValueOrDefault("find")) is { } fault) return Task.FromResult<ContainerResult<ObservedContainer?>>(fault);
            return Task.FromResult(new ContainerResult<ObservedContainer?>(_containers.Values.FirstOrDefault(c => c.App == app), null));
        }
    }

    public Task<ContainerResult<bool>> HasImageAsync(ImageReference image, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult<ContainerResult<bool>>(EngineFault is { } fault ? fault : _images.Contains(image.ToString()));
    }

    /// <summary>What is found to be newer than an app's image.</summary>
    public string? NewerImage { get; set; }

    public Task<ContainerResult<string?>> NewerImageAsync(string app, ImageReference image, CancellationToken cancellationToken) =>
        Task.FromResult(Record("compare", app) is { } fault ? fault : new ContainerResult<string?>(NewerImage, null));

    public async Task<ContainerFault?> PullAsync(ImageReference image, CancellationToken cancellationToken)
    {
        var fault = Record("pull", image.ToString());
        await PullGate.WaitAsync(cancellationToken);
        if (fault is null) AddImage(image.ToString());
        return fault;
    }

    /// <summary>The volumes of the container with this id.</summary>
    public Dictionary<string, ImmutableSortedDictionary<string, string>> Volumes { get; } = [];

    public Task<ContainerResult<ImmutableSortedDictionary<string, string>>> VolumesOfAsync(string id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<ContainerResult<ImmutableSortedDictionary<string, string>>>(
                EngineFault is { } fault ? fault : Volumes.GetValueOrDefault(id, ImmutableSortedDictionary<string, string>.Empty));
        }
    }

    public Task<ContainerResult<string>> CreateAsync(ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken)
    {
        if (Record("create", spec.App) is { } fault) return Task.FromResult<ContainerResult<string>>(fault);
        lock (_gate)
        {
            var id = $"id{++_nextId}";
            Volumes[id] = kept;
            Put(new ObservedContainer(id, spec.Name, spec.App, spec.Hash, false, null));
            return Task.FromResult<ContainerResult<string>>(id);
        }
    }

    public Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken) => OnAsync("start", id, Task.CompletedTask,
        container => ExitAtOnce is { } code ? container with { IsRunning = false, ExitCode = code } : container with { IsRunning = true, ExitCode = null },
        cancellationToken);

    public Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken) => OnAsync("stop", id, StopGate,
        container => container with { IsRunning = false, ExitCode = 143 }, cancellationToken);

    public Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken) =>
        OnAsync("remove", id, Task.CompletedTask, _ => null, cancellationToken);

    public Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken)
    {
        string id;
        lock (_gate) id = _containers.Values.FirstOrDefault(c => c.App == app)?.Id ?? app;
        return OnAsync("remove-with-volumes", id, Task.CompletedTask, _ => null, cancellationToken);
    }

    private async Task<ContainerFault?> OnAsync(string call, string id, Task gate, Func<ObservedContainer, ObservedContainer?> change,
        CancellationToken cancellationToken)
    {
        ObservedContainer? container;
        lock (_gate) container = _containers.GetValueOrDefault(id);
        var app = container?.App ?? id;
        var fault = Record(call, app);
        lock (_gate)
            if (!_busy.Add(app)) Overlaps++;
        try
        {
            await gate.WaitAsync(cancellationToken);
            await Task.Yield();
        }
        finally
        {
            lock (_gate) _busy.Remove(app);
        }
        if (fault is not null || container is null) return fault;
        lock (_gate)
        {
            if (change(container) is { } next) Put(next);
            else _containers.Remove(id);
        }
        return null;
    }

    private ContainerFault? Record(string call, string subject)
    {
        lock (_gate) _calls.Add($"{call} {subject}");
        Called.Raise();
        return EngineFault ?? Faults.GetValueOrDefault(call);
    }

    private void Put(ObservedContainer container) => _containers[container.Id] = container;
}
