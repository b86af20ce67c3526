using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes;

/// <summary>A container engine in memory that records what it was asked and fails where a test says so.</summary>
internal sealed partial class RecordingContainerRuntime : IContainerRuntime
{
    public static readonly ContainerFault Unreachable = new(ContainerFaultKind.EngineUnreachable, "The container engine does not answer.", "Start it.");

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ObservedContainer> _containers = [];
    private readonly Dictionary<string, ContainerSpec> _specs = [];
    private readonly HashSet<string> _images = [];
    private readonly List<string> _calls = [];
    private int _nextId;

    public bool IsConfigured => true;

    public ChangeSignal Changed { get; } = new();

    public ContainerFault? NetworkFault { get; set; }

    /// <summary>Raised after each call.</summary>
    public ChangeSignal Called { get; } = new();

    /// <summary>What every call answers while it is set.</summary>
    public ContainerFault? EngineFault { get; set; }

    /// <summary>
    /// What the named call (find, compare, pull, image, read-folder, create, start, stop, remove, exec, usage, remove-with-volumes) answers while it is set.
    /// With a subject ("create web.db") it is meant for that service alone.
    /// </summary>
    public Dictionary<string, ContainerFault> Faults { get; } = [];

    /// <summary>Pulls wait for this.</summary>
    public Task PullGate { get; set; } = Task.CompletedTask;

    /// <summary>Stops wait for this.</summary>
    public Task StopGate { get; set; } = Task.CompletedTask;

    /// <summary>Containers end at once with this code.</summary>
    public int? ExitAtOnce { get; set; }

    /// <summary>Containers of the named services ("web.migrate") end at once with these codes.</summary>
    public Dictionary<string, int> ExitsAtOnce { get; } = [];

    /// <summary>How many calls of one container overlapped; must stay 0.</summary>
    public int Overlaps { get; private set; }

    private readonly HashSet<string> _busy = [];

    /// <summary>Each as "create web" for the main service, and "create web.db" for another.</summary>
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

    /// <summary>The specs that containers were made of, the latest of each service ("web", "web.db").</summary>
    public ImmutableDictionary<string, ContainerSpec> Specs
    {
        get
        {
            lock (_gate) return _specs.ToImmutableDictionary();
        }
    }

    public void AddImage(string image)
    {
        lock (_gate) _images.Add(image);
    }

    /// <summary>As if somebody else had made it: the app runs although we were not asked.</summary>
    public void AddRunning(InstanceId instance, string app, string hash = "old", string? name = null, string service = ContainerSpec.MainService)
    {
        lock (_gate)
        {
            var id = ++_nextId;
            Put(new ObservedContainer($"id{id}", name ?? ContainerSpec.NameOf(instance, app, service), app, service, hash, true, null)
            { Address = AddressOf(id) });
        }
        Changed.Raise();
    }

    /// <summary>The app's main container ends by itself.</summary>
    public void Exit(string app, int code) => Exit(app, ContainerSpec.MainService, code);

    /// <summary>The service's container ends by itself.</summary>
    public void Exit(string app, string service, int code)
    {
        lock (_gate) Put(_containers.Values.Single(c => c.App == app && c.Service == service) with { IsRunning = false, ExitCode = code, Address = null });
        Changed.Raise();
    }

    public Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<ContainerResult<ImmutableArray<ObservedContainer>>>(EngineFault is { } fault ? fault
                : ImmutableArray.CreateRange(_containers.Values));
        }
    }

    public Task<ContainerResult<ObservedContainer?>> FindAsync(string app, string service, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (FaultOf("find", SubjectOf(app, service)) is { } fault) return Task.FromResult<ContainerResult<ObservedContainer?>>(fault);
            var found = _containers.Values.FirstOrDefault(c => c.App == app && c.Service == service);
            return Task.FromResult(new ContainerResult<ObservedContainer?>(found, null));
        }
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
        var subject = SubjectOf(spec.App, spec.Service);
        if (Record("create", subject) is { } fault) return Task.FromResult<ContainerResult<string>>(fault);
        lock (_gate)
        {
            var id = $"id{++_nextId}";
            (Volumes[id], _specs[subject]) = (kept, spec);
            Put(new ObservedContainer(id, spec.Name, spec.App, spec.Service, spec.Hash, false, null));
            return Task.FromResult<ContainerResult<string>>(id);
        }
    }

    public Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken) => OnAsync("start", id, Task.CompletedTask, container =>
    {
        int? code = ExitsAtOnce.TryGetValue(SubjectOf(container.App, container.Service), out var own) ? own : ExitAtOnce;
        return code is null ? container with { IsRunning = true, ExitCode = null, Address = AddressOf(_nextId) }
            : container with { IsRunning = false, ExitCode = code };
    }, cancellationToken);

    public Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken) => OnAsync("stop", id, StopGate,
        container => container with { IsRunning = false, ExitCode = 143, Address = null }, cancellationToken);

    public Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken) =>
        OnAsync("remove", id, Task.CompletedTask, _ => null, cancellationToken);

    public async Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken)
    {
        string id;
        lock (_gate) id = _containers.Values.FirstOrDefault(c => c.App == app && c.Service == ContainerSpec.MainService)?.Id ?? app;
        var fault = await OnAsync("remove-with-volumes", id, Task.CompletedTask, _ => null, cancellationToken);
        if (fault is not null) return fault;
        lock (_gate)
            foreach (var container in _containers.Values.Where(c => c.App == app).ToList()) _containers.Remove(container.Id);
        return null;
    }

    private async Task<ContainerFault?> OnAsync(string call, string id, Task gate, Func<ObservedContainer, ObservedContainer?> change,
        CancellationToken cancellationToken)
    {
        ObservedContainer? container;
        lock (_gate) container = _containers.GetValueOrDefault(id);
        var subject = container is null ? id : SubjectOf(container.App, container.Service);
        var fault = Record(call, subject);
        lock (_gate)
            if (!_busy.Add(subject)) Overlaps++;
        try
        {
            await gate.WaitAsync(cancellationToken);
            await Task.Yield();
        }
        finally
        {
            lock (_gate) _busy.Remove(subject);
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
        return FaultOf(call, subject);
    }

    private ContainerFault? FaultOf(string call, string subject) =>
        EngineFault ?? Faults.GetValueOrDefault($"{call} {subject}") ?? Faults.GetValueOrDefault(call);

    private static string SubjectOf(string app, string service) => service == ContainerSpec.MainService ? app : $"{app}.{service}";

    private static string AddressOf(int number) => $"10.255.{number / 256 % 256}.{number % 256}";

    private void Put(ObservedContainer container) => _containers[container.Id] = container;
}
