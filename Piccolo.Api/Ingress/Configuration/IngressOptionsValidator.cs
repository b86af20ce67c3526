using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>The rules of <see cref="IngressOptions"/> that attributes cannot say; reports every breach at once.</summary>
internal sealed class IngressOptionsValidator : IValidateOptions<IngressOptions>
{
    public ValidateOptionsResult Validate(string? name, IngressOptions options)
    {
        var errors = Check(options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static IEnumerable<string> Check(IngressOptions options)
    {
        if (options.ParseListenAddress() is null) yield return $"ListenAddress: '{options.ListenAddress}' is neither any, loopback nor an address.";
        if (options.HttpPort > 0 && options.HttpPort == options.HttpsPort) yield return "HttpPort and HttpsPort are the same.";
        foreach (var network in options.AllowedNetworks.Where(n => !IPNetwork.TryParse(n, out _)))
            yield return $"AllowedNetworks: '{network}' is not a network such as 192.168.1.0/24.";
        foreach (var source in options.ProxyProtocol.TrustedSources.Where(s => ProxyProtocolOptions.ParseSource(s) is null))
            yield return $"ProxyProtocol:TrustedSources: '{source}' is neither an address nor a network such as 192.168.1.0/24.";
        foreach (var host in options.AllowedHosts.Where(h => !DomainName.TryParse(h, out _) && !IPAddress.TryParse(h, out _)))
            yield return $"AllowedHosts: '{host}' is not a host name.";
    }
}
