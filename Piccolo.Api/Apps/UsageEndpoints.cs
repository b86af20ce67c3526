using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.Volumes;

namespace Piccolo.Api.Apps;

/// <param name="UsedBytes">On the disk, encrypted; absent where it was not seen.</param>
/// <param name="SizeLimitBytes">Absent where it has none.</param>
public sealed record VolumeUsageResponse(string Name, long? UsedBytes, long? SizeLimitBytes);

/// <summary>What one service takes.</summary>
/// <param name="Running">Whether the engine said that its container runs; memory and time are absent otherwise.</param>
/// <param name="MemoryLimitBytes">From the manifest; absent where it has none.</param>
/// <param name="CpuSeconds">Of all processors together, since its container started. Two observations tell how busy it was between them.</param>
/// <param name="Volumes">Those that it mounts. Another service may mount them, too.</param>
public sealed record ServiceUsageResponse(
    string Service, bool Running, long? MemoryBytes, long? MemoryLimitBytes, double? CpuSeconds, IReadOnlyList<VolumeUsageResponse> Volumes);

/// <param name="Services">In the order of the manifest.</param>
public sealed record AppUsageResponse(string App, DateTimeOffset ObservedAt, IReadOnlyList<ServiceUsageResponse> Services);

/// <summary>What apps take of the device.</summary>
internal static class UsageEndpoints
{
    public static RouteGroupBuilder MapAppUsage(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/apps/{name}").WithTags("apps").RequireUnlocked().RequireOwner();
        group.MapGet("/usage", ReadAsync).WithName("ReadAppUsage")
            .WithSummary("Memory, processor time and volumes of each service of an app, as seen now.").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        return group;
    }

    private static async Task<Results<Ok<AppUsageResponse>, ProblemHttpResult>> ReadAsync(
        string name, AppCatalog catalog, IContainerRuntime engine, IAppVolumes volumes, TimeProvider time, CancellationToken cancellationToken)
    {
        if (catalog.Find(name) is not { } app) return Problems.NotFound($"app '{name}'");
        var found = await engine.UsageAsync(name, cancellationToken);
        if (found.Fault is { } fault)
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "engine_fault", "Container engine", fault.Sentence, fault.NextStep);
        var seen = found.Value.ToDictionary(u => u.Service, StringComparer.Ordinal);
        var kept = volumes.List().Where(v => v.App == name).ToDictionary(v => v.Name, StringComparer.Ordinal);
        return TypedResults.Ok(new AppUsageResponse(name, time.GetUtcNow(), [.. app.Manifest.Services.Select(service =>
        {
            var used = seen.GetValueOrDefault(service.Name);
            return new ServiceUsageResponse(
                service.Name, used is not null, used?.MemoryBytes, service.MemoryBytes, used?.CpuTime.TotalSeconds,
                [.. service.Mounts.Select(m => m.Volume).Distinct().Select(volume => new VolumeUsageResponse(
                    volume, kept.GetValueOrDefault(volume)?.UsedBytes, app.Manifest.Volumes.GetValueOrDefault(volume)?.SizeLimitBytes))]);
        })]));
    }
}
