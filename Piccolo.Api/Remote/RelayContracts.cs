using FluentValidation;
using Microsoft.Extensions.Options;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Remote;

/// <param name="DeviceSecret">The new secret, as the relay has it already.</param>
public sealed record RotateSecretRequest(string? DeviceSecret);

/// <summary>What to try; what is left out is taken from the settings.</summary>
/// <param name="Endpoint">As in <c>POST /remote/configure</c>.</param>
/// <param name="JwtSecret">The device secret.</param>
public sealed record VerifyRelayRequest(string? Endpoint, string? Tld, string? PortalHostname, string? JwtSecret);

/// <param name="RoundTripMs">Between this device and the relay; absent when the relay answered no measurement in time.</param>
public sealed record RelayVerifiedResponse(DateTimeOffset VerifiedAt, string Message, double? RoundTripMs);

/// <param name="Command">To be run on the relay's machine.</param>
public sealed record RelayGuideResponse(string Command, IReadOnlyList<string> Requirements, IReadOnlyList<string> Notes, string DocsUrl);

/// <param name="Subject">Which name or certificate; empty where there is only one thing of the kind.</param>
public sealed record RemoteEventResponse(DateTimeOffset Ts, RemoteEventLevel Level, string Source, string Subject, string Message, string? NextStep);

public sealed record RemoteEventsResponse(IReadOnlyList<RemoteEventResponse> Events);

internal sealed class RotateSecretRequestValidator : AbstractValidator<RotateSecretRequest>
{
    public RotateSecretRequestValidator() => RuleFor(r => r.DeviceSecret).NotEmpty().MaximumLength(1024);
}

internal sealed class VerifyRelayRequestValidator : AbstractValidator<VerifyRelayRequest>
{
    public VerifyRelayRequestValidator(IOptions<TunnelOptions> nexus)
    {
        RuleFor(r => r.Endpoint).MaximumLength(512)
            .Custom((endpoint, context) => ConfigureRemoteRequestValidator.CheckEndpoint(endpoint, nexus.Value, context.AddFailure));
        RuleFor(r => r.JwtSecret).MaximumLength(1024);
        RuleFor(r => r.Tld).MaximumLength(253);
        RuleFor(r => r.PortalHostname).MaximumLength(253);
    }
}
