using Piccolo.Core.Health;

namespace Piccolo.Api.Health;

public sealed record LiveResponse(string Status);

public sealed record ComponentResponse(HealthLevel Level, string Message, DateTimeOffset Since);

/// <param name="Rollback">Whether an older image could help.</param>
public sealed record FaultResponse(FaultCode Code, string Component, string Detail, DateTimeOffset Since, bool Rollback);

/// <param name="Ready">False only while a fatal fault of persistence or crypto is latched; then the status is 503.</param>
/// <param name="Status"><c>ready</c>, <c>degraded</c> or <c>fatal</c>.</param>
public sealed record ReadyResponse(bool Ready, string Status, IReadOnlyDictionary<string, ComponentResponse> Components, IReadOnlyList<FaultResponse> Reasons);

/// <param name="Overall">The worst level of all components.</param>
public sealed record HealthDetailResponse(HealthLevel Overall, IReadOnlyList<NamedComponentResponse> Components, IReadOnlyList<FaultResponse> Faults);

public sealed record NamedComponentResponse(string Name, HealthLevel Level, string Message, DateTimeOffset UpdatedAt);

internal static class HealthMapping
{
    public static ReadyResponse ToReady(this HealthSnapshot health) => new(
        health.Ready,
        health.Overall switch { HealthLevel.Ok => "ready", HealthLevel.Degraded => "degraded", _ => "fatal" },
        health.Components.ToDictionary(c => c.Name, c => new ComponentResponse(c.Level, c.Message, c.Since)),
        [.. health.Faults.Values.Select(ToResponse)]);

    public static HealthDetailResponse ToDetail(this HealthSnapshot health) => new(
        health.Overall,
        [.. health.Components.Select(c => new NamedComponentResponse(c.Name, c.Level, c.Message, c.Since))],
        [.. health.Faults.Values.Select(ToResponse)]);

    private static FaultResponse ToResponse(FatalFault fault) => new(fault.Code, fault.Component, fault.Detail, fault.Since, fault.Rollback);
}
