using System.Collections.Immutable;
using Piccolo.Core.Apps.Import.Fields;
using Piccolo.Core.Apps.Import.Inference;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Import.Sections;
using Piccolo.Core.Apps.Import.Writing;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import;

/// <summary>
/// Compose file to manifest: pure, in bounded time and memory whatever the text. It installs nothing and fetches nothing. Thread-safe.
/// </summary>
public static class ComposeImporter
{
    private static readonly string[] ReservedNames = ["api", "www", "admin", "root", "system", "piccolo", "schema"];
    private static readonly string[] NoNames = ["compose", "docker-compose", "docker", "app"];

    public static ImportResult Import(ImportSource source)
    {
        try
        {
            CheckSizes(source);
            var root = ComposeYaml.Read(source.Compose);
            var context = new ImportContext(source);
            return Import(context, root);
        }
        catch (ImportFaultException e)
        {
            return new ImportResult(ImportOutcome.Refused, null, [new ImportLine(e.Path, e.Line, ImportVerdict.Refused, e.Message)]);
        }
    }

    private static ImportResult Import(ImportContext context, ManifestNode.Mapping root)
    {
        var files = new ComposeFiles(context, root);
        files.ReportIncludes();
        var volumes = new TopVolumes();
        foreach (var section in files.Sections("volumes")) volumes.Read(context, section);
        var closed = files.Sections("networks").SelectMany(s => NetworkKeys.Top(context, s)).ToHashSet(StringComparer.Ordinal);
        new ServiceReader(context, files, new VolumeKeys(context, volumes)).Read();
        foreach (var field in Field.Of(root, "")) TopKeys.Read(context, field);
        string? manifest = null;
        if (context.App.Services.Count == 0) context.Report.Add(ComposePath.Document, 1, ImportVerdict.Refused, "The file has no service that can run here.");
        else manifest = Assemble(context, closed);
        var report = context.Report.Complete(root);
        return new ImportResult(OutcomeOf(context, report, manifest), manifest, report)
        {
            Questions = [.. context.Questions],
            MissingFiles = [.. context.MissingFiles],
            Grants = [.. context.Grants],
        };
    }

    /// <returns>Null where what came of it is not valid, with the reasons in the report.</returns>
    private static string? Assemble(ImportContext context, HashSet<string> closed)
    {
        Wiring.Run(context);
        context.App.Name = NameOf(context);
        SecretInference.Run(context);
        var listener = new ListenerChoice(context).Run();
        AddressInference.Run(context, listener);
        var text = new ManifestAssembly(context, closed).Write();
        var result = AppManifestParser.Parse(text);
        if (result.IsValid) return text;
        var reasons = string.Join(" ", result.Errors.Take(3).Select(e => $"{e.Path}: {e.Message}"));
        context.Report.Add(ComposePath.Document, 1, ImportVerdict.Refused, $"No valid manifest came of it. {reasons}");
        return null;
    }

    private static ImportOutcome OutcomeOf(ImportContext context, ImmutableArray<ImportLine> report, string? manifest) =>
        manifest is null || report.Any(l => l is { Verdict: ImportVerdict.Refused, IsSummary: false }) ? ImportOutcome.Refused
        : context.Grants.Any(g => g.IsConfirmed) ? ImportOutcome.Grant
        : ImportOutcome.Plain;

    /// <summary>What the file says, else the environment, else the folder, else the service that visitors see.</summary>
    private static string NameOf(ImportContext context)
    {
        var services = context.App.Services;
        string?[] wishes =
        [
            context.App.Name, context.Value("COMPOSE_PROJECT_NAME"), context.Source.Name,
            (services.Find(s => s.Ports.Count > 0 && !KnownStores.IsStore(s.Image)) ?? services.Find(s => !KnownStores.IsStore(s.Image)) ?? services[0]).Name,
        ];
        var name = wishes.Select(w => Labels.Of(w ?? "", "")).FirstOrDefault(w => w.Length > 0 && !NoNames.Contains(w)) ?? "app";
        if (!char.IsAsciiLetterLower(name[0]) || ReservedNames.Contains(name)) name = $"app-{name}";
        return name.Length > 50 ? name[..50].TrimEnd('-') : name;
    }

    private static void CheckSizes(ImportSource source)
    {
        if (source.Compose.Length > ImportSource.MaxLength) throw TooLarge(ComposePath.Document, "compose file");
        if (source.Environment?.Length > ImportSource.MaxLength) throw TooLarge(".env", "environment file");
        if (source.Companions.Count > ImportSource.MaxCompanions)
            throw new ImportFaultException(ComposePath.Document, 1, $"More than {ImportSource.MaxCompanions} files came with it.");
        if (source.Companions.Values.Any(c => c.Length > ImportSource.MaxLength)) throw TooLarge(ComposePath.Document, "file beside it");
    }

    private static ImportFaultException TooLarge(string path, string what) => new(path, 1, $"The {what} is larger than {ImportSource.MaxLength / 1024} KiB.");
}
