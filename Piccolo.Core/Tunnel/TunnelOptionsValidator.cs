using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Tunnel;

/// <summary>What no single value shows.</summary>
/// <param name="environment">Null where there is no host, as in tests of parts.</param>
internal sealed class TunnelOptionsValidator(IHostEnvironment? environment) : IValidateOptions<TunnelOptions>
{
    public ValidateOptionsResult Validate(string? name, TunnelOptions options)
    {
        var problems = new List<string>();
        if (options.AllowInsecureLoopback && environment?.IsDevelopment() == false)
            problems.Add(
                $"{TunnelOptions.Section}:{nameof(options.AllowInsecureLoopback)} is for Development only: the device secret must not travel in clear.");
        if (options.ReconnectMax < options.ReconnectBase)
            problems.Add($"{TunnelOptions.Section}:{nameof(options.ReconnectMax)} must not be less than {nameof(options.ReconnectBase)}.");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
