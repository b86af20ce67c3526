using Piccolo.Rig.Stack;

namespace Piccolo.Demo;

/// <summary>What <c>./dev demo</c> was asked for.</summary>
/// <param name="Once">Ends after the last step instead of staying up.</param>
public sealed record DemoOptions(bool Once, DemoBreak Break)
{
    public const string Usage = """
        usage: ./dev demo [--once] [--break dns|ca|relay|podman]

        Starts Pebble, its DNS, a relay, Podman's socket and the appliance on loopback ports, drives everything
        through the public API, and prints one line per step with its seconds.

          --once          exit after the last step: 0 when everything was observed, else 1
          --break PART    take one part away; must end with the sentence that names the cause, and 1

        Without --once it stays up and prints the portal's URL and a curl for each step; Ctrl-C stops all of it.
        Logs and addresses: artifacts/demo (endpoints.json holds the bearer token).
        """;

    /// <returns>Null when the arguments are not understood.</returns>
    public static DemoOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = new DemoOptions(false, DemoBreak.None);
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--once") options = options with { Once = true };
            else if (arguments[i] == "--break" && i + 1 < arguments.Count && Enum.TryParse<DemoBreak>(arguments[i + 1], ignoreCase: true, out var part)
                && part != DemoBreak.None)
            {
                options = options with { Break = part, Once = true };
                i++;
            }
            else return null;
        }
        return options;
    }
}
