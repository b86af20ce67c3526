using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>Variables by which an app knows its own address get the one that the box gives it, where they name nobody's.</summary>
internal static partial class AddressInference
{
    /// <param name="listener">The app's main listener.</param>
    public static void Run(ImportContext context, string listener)
    {
        foreach (var service in context.App.Services)
            foreach (var variable in service.Environment.Where(v => AddressNames.IsOwnAddress(v.Name)))
            {
                var text = Replaced(variable, listener);
                if (text == variable.Text) continue;
                variable.Text = text;
                context.Report.Add(variable.Path, variable.Line, ImportVerdict.Translated, "The address at which the box offers the app.",
                    $"environment.{variable.Name}");
            }
    }

    private static string Replaced(Variable variable, string listener)
    {
        var (url, host) = (References.Mark($"listener.{listener}.url"), References.Mark($"listener.{listener}.host"));
        if (References.Any(variable.Text)) return variable.Text;
        var text = variable.Text.Trim();
        if (AddressNames.IsList(variable.Name)) return List(variable, url, host);
        if (text.Length == 0) return AddressNames.IsUrl(variable.Name) ? url : host;
        if (UrlPattern().Match(text) is { Success: true } whole)
            return whole.Groups["host"].Value.Length == 0 || AddressNames.IsExampleHost(whole.Groups["host"].Value) ? url + whole.Groups["path"].Value
                : variable.Text;
        return HostPattern().Match(text) is { Success: true } name && AddressNames.IsExampleHost(name.Groups["host"].Value) ? host : variable.Text;
    }

    private static string List(Variable variable, string url, string host)
    {
        var own = AddressNames.IsUrl(variable.Name) || variable.Text.Contains("://", StringComparison.Ordinal) ? url : host;
        if (variable.Text.Trim() is "" or "*") return variable.Text.Trim() == "*" ? variable.Text : own;
        var separator = variable.Text.Contains(',', StringComparison.Ordinal) ? "," : " ";
        return own + separator + variable.Text;
    }

    [GeneratedRegex(@"^[a-z][a-z+.-]*://(?<host>\[[^\]]*\]|[^:/?#]*)(?::[0-9]*)?(?<path>[/?#].*)?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex UrlPattern();

    [GeneratedRegex(@"^(?<host>\[[^\]]*\]|[^:/\s]+)(?::[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostPattern();
}
