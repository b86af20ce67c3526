using Microsoft.Extensions.Options;

namespace Piccolo.Core.Listeners;

/// <summary>The port ranges in configuration section <c>Piccolo:Ingress</c>.</summary>
public sealed class ListenerPortOptions
{
    public const string Section = "Piccolo:Ingress";

    /// <summary>Ports on 127.0.0.1 where the front door reaches apps. A listener keeps its port for life.</summary>
    public string GuardPorts { get; set; } = "15000-25000";

    /// <summary>Ports where apps answer on the LAN. A listener keeps its port for life, unless another program takes it.</summary>
    public string PublicPorts { get; set; } = "35000-45000";
}

/// <summary>Both ranges must be readable and apart from each other.</summary>
internal sealed class ListenerPortOptionsValidator : IValidateOptions<ListenerPortOptions>
{
    public ValidateOptionsResult Validate(string? name, ListenerPortOptions options)
    {
        if (!PortRange.TryParse(options.GuardPorts, out var guard)) return Refuse(nameof(options.GuardPorts), options.GuardPorts);
        if (!PortRange.TryParse(options.PublicPorts, out var lan)) return Refuse(nameof(options.PublicPorts), options.PublicPorts);
        return guard.Overlaps(lan)
            ? ValidateOptionsResult.Fail($"{ListenerPortOptions.Section}: GuardPorts {guard} and PublicPorts {lan} overlap.")
            : ValidateOptionsResult.Success;
    }

    private static ValidateOptionsResult Refuse(string key, string value) =>
        ValidateOptionsResult.Fail($"{ListenerPortOptions.Section}:{key} '{value}' is not a range of ports such as 15000-25000.");
}
