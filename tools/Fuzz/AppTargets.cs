using System.Text;
using Piccolo.Core.Apps.Import;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Fuzz;

/// <summary>What describes an app, written by anybody.</summary>
internal static class AppTargets
{
    // The largest list of errors, and the line that says there are more.
    private const int MaxErrors = 51;

    public static void Manifest(byte[] input)
    {
        var result = AppManifestParser.Parse(input);
        FuzzTargets.Promise(result.IsValid == result.Errors.IsEmpty, "A manifest is neither valid nor wrong.");
        FuzzTargets.Promise(result.Errors.Length <= MaxErrors, "The errors have no bound.");
        if (result.Manifest is null) return;
        var json = NormalManifest.Write(result.Manifest).ToJsonString();
        var again = AppManifestParser.Parse(json);
        FuzzTargets.Promise(again.IsValid, "What was read cannot be written.");
        FuzzTargets.Promise(NormalManifest.Write(again.Manifest!).ToJsonString() == json, "Written and read again, it is another manifest.");
    }

    /// <summary>The compose file, and behind the first zero byte its environment.</summary>
    public static void Compose(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input).Split('\0', 2);
        var source = new ImportSource(text[0]) { Environment = text.Length == 2 ? text[1] : null };
        var result = ComposeImporter.Import(source);
        var again = ComposeImporter.Import(source);
        FuzzTargets.Promise(result.Manifest == again.Manifest && result.Report.SequenceEqual(again.Report), "The same file becomes something else.");
        FuzzTargets.Promise(result.Report.DistinctBy(l => l.Path).Count() == result.Report.Length, "A key has two lines.");
        FuzzTargets.Promise(result.Manifest is null || AppManifestParser.Parse(result.Manifest).IsValid, "The manifest is not valid.");
        FuzzTargets.Promise(result.Manifest is not null || result.Outcome == ImportOutcome.Refused, "There is no manifest, and no reason.");
        FuzzTargets.Promise(result.Outcome == ImportOutcome.Refused == result.Refusals.Any(), "The outcome does not follow from the report.");
    }
}
