using System.Text.RegularExpressions;
using FluentValidation;
using Piccolo.Core.Containers;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>The rules of a manifest. Every broken one is reported, under the field's path in the text.</summary>
internal sealed partial class AppManifestValidator : AbstractValidator<ManifestDraft>
{
    public const int MaxNameLength = 50;
    public const int MaxListLength = 32;
    public const int MaxVariables = 256;
    public const int MaxVariableNameLength = 255;
    public const int MaxVariableLength = 4096;
    public const long MinMemoryBytes = 6L << 20;
    public const long MaxMemoryBytes = 1L << 42;
    public const long MinNanoCpus = 10_000_000;
    public const long MaxNanoCpus = 64_000_000_000;

    private static readonly string[] ReservedNames = ["api", "www", "admin", "root", "system", "piccolo"];

    public AppManifestValidator()
    {
        RuleFor(m => m.Name).Configure(r => r.PropertyName = "name").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The app needs a name.")
            .MaximumLength(MaxNameLength).WithMessage($"The name has at most {MaxNameLength} characters.")
            .Must(n => NamePattern().IsMatch(n!))
            .WithMessage("The name has lower-case letters, digits and hyphens, starts with a letter and ends with a letter or digit.")
            .Must(n => !ReservedNames.Contains(n)).WithMessage("The name is reserved for the appliance itself.");
        RuleFor(m => m.Image).Configure(r => r.PropertyName = "image").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The app needs an image.")
            .Custom((image, context) =>
            {
                if (!ImageReference.TryParse(image!, out _, out var error)) context.AddFailure(error);
            });
        RuleFor(m => m.Type).Configure(r => r.PropertyName = "type")
            .Must(t => t is null || Enum.GetNames<AppType>().Contains(t, StringComparer.OrdinalIgnoreCase)).WithMessage("The type is 'user' or 'system'.");
        RuleFor(m => m.Listeners).Configure(r => r.PropertyName = "listeners").NotEmpty().WithMessage("The app needs at least one listener.");
        RuleForEach(m => m.Listeners).Configure(r => r.PropertyName = "listeners").SetValidator(new ListenerDraftValidator());
        RuleFor(m => m.Listeners).Custom((listeners, context) =>
        {
            Repeated(listeners ?? [], l => l.Name, i => context.AddFailure($"listeners[{i}].name", "Another listener of this app has the same name."));
            Repeated(listeners ?? [], l => l.GuestPort?.ToString(System.Globalization.CultureInfo.InvariantCulture),
                i => context.AddFailure($"listeners[{i}].guest_port", "Another listener of this app has the same port."));
        });
        RuleFor(m => m.Environment).Configure(r => r.PropertyName = "environment")
            .Must(e => e.Count <= MaxVariables).WithMessage($"There are more than {MaxVariables} variables.")
            .Custom((variables, context) =>
            {
                foreach (var (name, value) in variables.Take(MaxVariables))
                    if (Variable(name, value) is { } error) context.AddFailure($"environment.{name}", error);
            });
        RuleFor(m => m.Memory).Configure(r => r.PropertyName = "resources.limits.memory")
            .Must(m => m is null || (ResourceSizes.TryParseBytes(m, out var bytes) && bytes is >= MinMemoryBytes and <= MaxMemoryBytes))
            .WithMessage("The memory limit is a number with the unit MB, GB or TB, from 6MB to 4TB.");
        RuleFor(m => m.Cpu).Configure(r => r.PropertyName = "resources.limits.cpu")
            .Must(c => c is null || (ResourceSizes.TryParseNanoCpus(c, out var cpus) && cpus is >= MinNanoCpus and <= MaxNanoCpus))
            .WithMessage("The processor limit is a number from 0.01 to 64.");
    }

    private static void Repeated(IEnumerable<ListenerDraft> listeners, Func<ListenerDraft, string?> key, Action<int> report)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (i, listener) in listeners.Index())
            if (key(listener) is { } value && !seen.Add(value)) report(i);
    }

    private static string? Variable(string name, string value)
    {
        if (name.Length > MaxVariableNameLength || !VariablePattern().IsMatch(name))
            return $"A variable's name has letters, digits and '_', does not start with a digit, and has at most {MaxVariableNameLength} characters.";
        if (value.Length > MaxVariableLength) return $"A variable's value has at most {MaxVariableLength} characters.";
        return value.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r')) ? "A variable's value has no control characters." : null;
    }

    [GeneratedRegex(@"^[a-z](?:[a-z0-9-]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariablePattern();
}

/// <summary>The rules of one listener.</summary>
internal sealed class ListenerDraftValidator : AbstractValidator<ListenerDraft>
{
    private const int MaxRemotePorts = 16;
    private const int MaxHstsAgeSeconds = 63_072_000;
    private const int MaxHealthPathLength = 256;

    public ListenerDraftValidator()
    {
        RuleFor(l => l.Name).Configure(r => r.PropertyName = "name").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The listener needs a name.")
            .Must(n => DomainName.IsLabel(n!))
            .WithMessage("The listener's name becomes part of a host name: 1 to 63 lower-case letters, digits and inner hyphens.");
        RuleFor(l => l.GuestPort).Configure(r => r.PropertyName = "guest_port").Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("The listener needs the port at which the app listens.")
            .InclusiveBetween(1, 65535).WithMessage("A port is a number from 1 to 65535.");
        RuleFor(l => l.Flow).Configure(r => r.PropertyName = "flow").Must(IsNullOrOneOf<ListenerFlow>).WithMessage("The flow is 'tcp' or 'tls'.");
        RuleFor(l => l.Protocol).Configure(r => r.PropertyName = "protocol")
            .Must(IsNullOrOneOf<ListenerProtocol>).WithMessage("The protocol is 'raw', 'http', 'websocket' or 'grpc'.");
        RuleFor(l => l.RemotePorts).Configure(r => r.PropertyName = "remote_ports").Cascade(CascadeMode.Stop)
            .Must(p => p is null or { Count: > 0 and <= MaxRemotePorts })
            .WithMessage($"The list of remote ports has 1 to {MaxRemotePorts} entries; without the field it is 80 and 443.")
            .Must(p => p is null || p.OfType<int>().Distinct().Count() == p.OfType<int>().Count()).WithMessage("A remote port is given twice.");
        RuleForEach(l => l.RemotePorts).Configure(r => r.PropertyName = "remote_ports")
            .Must(port => port is null or (>= 1 and <= 65535)).WithMessage("A port is a number from 1 to 65535.");
        RuleFor(l => l.ProxyProtocol).Configure(r => r.PropertyName = "x-piccolo.proxy_protocol").Cascade(CascadeMode.Stop)
            .Must(p => p is null or "v2").WithMessage("The PROXY protocol is 'v2'; without the field none is spoken.")
            .Must((l, p) => p is null || !IsHttp(l))
            .WithMessage("Only listeners of flow 'tls' or protocol 'raw' can have a PROXY header; others get forwarded headers.");
        RuleFor(l => l.HstsMaxAge).Configure(r => r.PropertyName = "x-piccolo.hsts_max_age").Cascade(CascadeMode.Stop)
            .Must(a => a is null or (>= 0 and <= MaxHstsAgeSeconds)).WithMessage($"The age is a number of seconds from 0 to {MaxHstsAgeSeconds}.")
            .Must((l, a) => a is null || IsHttp(l)).WithMessage("Only a listener whose TLS ends on this device and that speaks HTTP has header fields.");
        RuleFor(l => l.HealthPath).Configure(r => r.PropertyName = "x-piccolo.health_path").Cascade(CascadeMode.Stop)
            .Must(p => p is null || (p.Length <= MaxHealthPathLength && p.StartsWith('/') && p.All(c => c is > ' ' and <= '~')))
            .WithMessage($"The path starts with '/' and has at most {MaxHealthPathLength} visible ASCII characters.")
            .Must((l, p) => p is null || (IsHttp(l) && !Is(l.Protocol, ListenerProtocol.Grpc)))
            .WithMessage("Only a listener of protocol 'http' or 'websocket' can be asked for a path.");
    }

    private static bool IsHttp(ListenerDraft listener) =>
        !Is(listener.Flow, ListenerFlow.Tls) && listener.Protocol is not null && !Is(listener.Protocol, ListenerProtocol.Raw);

    private static bool Is<T>(string? text, T value) where T : struct, Enum => string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase);

    // By name only: the runtime's own parser would also take the enum's numbers.
    private static bool IsNullOrOneOf<T>(string? text) where T : struct, Enum =>
        text is null || Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase);
}
