using Microsoft.Extensions.Hosting;
using Piccolo.Core.Health;

namespace Piccolo.Core.Leadership;

/// <summary>Tells the registry who leads, for as long as it runs.</summary>
public interface ILeaderElector
{
    Task RunAsync(LeadershipRegistry registry, CancellationToken cancellationToken);
}

/// <summary>One node: it leads everything, always.</summary>
internal sealed class SingleElector(HealthTracker health) : ILeaderElector
{
    public Task RunAsync(LeadershipRegistry registry, CancellationToken cancellationToken)
    {
        registry.Apply(new Dictionary<ResourceId, Role>());
        health.Ok(HealthComponents.Leadership, "single node");
        return Task.CompletedTask;
    }
}

internal sealed class LeaderElectorLoop(ILeaderElector elector, LeadershipRegistry registry) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => elector.RunAsync(registry, stoppingToken);
}
