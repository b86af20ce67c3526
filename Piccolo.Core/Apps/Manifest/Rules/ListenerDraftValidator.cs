using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of one listener by itself.</summary>
internal sealed class ListenerDraftValidator : AbstractValidator<ListenerDraft>
{
    public ListenerDraftValidator()
    {
        RuleFor(l => l.Name).As("name").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The listener needs a name.")
            .Must(n => DomainName.IsLabel(n!))
            .WithMessage("The listener's name becomes part of a host name: 1 to 63 lower-case letters, digits and inner hyphens.");
        RuleFor(l => l.GuestPort).As("guest_port").Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("The listener needs the port at which the app listens.")
            .InclusiveBetween(1, 65535).WithMessage("A port is a number from 1 to 65535.");
        RuleFor(l => l.Flow).As("flow").Cascade(CascadeMode.Stop)
            .Must(f => !string.Equals(f, "udp", StringComparison.OrdinalIgnoreCase))
            .WithMessage("The flow is 'tcp' or 'tls'; 'udp' is not available in this release.").WithErrorCode(ManifestErrorCodes.NotAvailable)
            .Must(RuleWords.IsNullOrOneOf<ListenerFlow>).WithMessage("The flow is 'tcp' or 'tls'.");
        RuleFor(l => l.Protocol).As("protocol")
            .Must(RuleWords.IsNullOrOneOf<ListenerProtocol>).WithMessage("The protocol is 'raw', 'http', 'websocket' or 'grpc'.");
        RuleFor(l => l.RemotePorts).As("remote_ports").Cascade(CascadeMode.Stop)
            .Must(p => p is null or { Count: > 0 and <= ManifestLimits.RemotePorts })
            .WithMessage($"The list of remote ports has 1 to {ManifestLimits.RemotePorts} entries; without the field it is 80 and 443.")
            .WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must(p => p is null || p.Where(port => port != 0).Distinct().Count() == p.Count(port => port != 0)).WithMessage("A remote port is given twice.")
            .WithErrorCode(ManifestErrorCodes.Duplicate);
        RuleForEach(l => l.RemotePorts).As("remote_ports")
            .Must(port => port is >= 1 and <= 65535).WithMessage("A port is a number from 1 to 65535.").WithErrorCode(ManifestErrorCodes.OutOfRange);
        RuleFor(l => l.ProxyProtocol).As("x-piccolo.proxy_protocol").Cascade(CascadeMode.Stop)
            .Must(p => p is null or "v2").WithMessage("The PROXY protocol is 'v2'; without the field none is spoken.")
            .Must((l, p) => p is null || !IsHttp(l))
            .WithMessage("Only listeners of flow 'tls' or protocol 'raw' can have a PROXY header; others get forwarded headers.")
            .WithErrorCode(ManifestErrorCodes.Conflict);
        RuleFor(l => l.HstsMaxAge).As("x-piccolo.hsts_max_age").Cascade(CascadeMode.Stop)
            .Must(a => a is null or (>= 0 and <= ManifestLimits.HstsAgeSeconds))
            .WithMessage($"The age is a number of seconds from 0 to {ManifestLimits.HstsAgeSeconds}.").WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must((l, a) => a is null || IsHttp(l)).WithMessage("Only a listener whose TLS ends on this device and that speaks HTTP has header fields.")
            .WithErrorCode(ManifestErrorCodes.Conflict);
        RuleFor(l => l.HealthPath).As("x-piccolo.health_path").Cascade(CascadeMode.Stop)
            .Must(p => p is null || HealthCheckDraftValidator.IsHttpPath(p))
            .WithMessage($"The path starts with '/' and has at most {ManifestLimits.HealthPathLength} visible ASCII characters.")
            .Must((l, p) => p is null || (IsHttp(l) && !RuleWords.Is(l.Protocol, ListenerProtocol.Grpc)))
            .WithMessage("Only a listener of protocol 'http' or 'websocket' can be asked for a path.").WithErrorCode(ManifestErrorCodes.Conflict);
    }

    private static bool IsHttp(ListenerDraft listener) => !RuleWords.Is(listener.Flow, ListenerFlow.Tls) && listener.Protocol is not null
        && !RuleWords.Is(listener.Protocol, ListenerProtocol.Raw);
}
