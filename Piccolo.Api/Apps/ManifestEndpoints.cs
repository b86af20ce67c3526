using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Import;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Api.Apps;

/// <summary>A valid manifest and what installing it would do.</summary>
/// <param name="Valid">Always true: what is wrong with a manifest comes as a problem document.</param>
/// <param name="Manifest">Written out in full in its own grammar. Of secrets it has the definitions only.</param>
/// <param name="Warnings">What is valid and was probably not meant so.</param>
/// <param name="Changes">Plain sentences: what would become of the services and volumes of the app of that name, as it is installed now.</param>
/// <param name="Grants">What the services ask for beyond what every app has.</param>
public sealed record ValidManifestResponse(
    bool Valid, JsonNode Manifest, IReadOnlyList<ManifestWarning> Warnings, IReadOnlyList<string> Changes, IReadOnlyList<AppGrant> Grants);

/// <summary>What a compose file becomes. Nothing of it is installed.</summary>
/// <param name="Verdict">
/// refused: it cannot be installed until what the report refuses is gone. grant: the owner has to allow what <c>Grants</c> has first.
/// </param>
/// <param name="Manifest">YAML, valid for <c>POST /apps</c>; absent where none can be made of the file.</param>
/// <param name="Report">One line for each key of the file.</param>
/// <param name="Questions">Variables without a value: import again with lines for them in <c>env</c>.</param>
/// <param name="MissingFiles">Files that the compose file wants: import again with them.</param>
public sealed record ComposeImportResponse(
    ImportOutcome Verdict,
    string? Manifest,
    IReadOnlyList<ImportLine> Report,
    IReadOnlyList<ImportQuestion> Questions,
    IReadOnlyList<ImportMissingFile> MissingFiles,
    IReadOnlyList<ImportGrant> Grants);

/// <summary>Manifests that are only looked at.</summary>
internal static class ManifestEndpoints
{
    /// <param name="apps">The group of the apps' routes.</param>
    public static void MapManifests(this RouteGroupBuilder apps)
    {
        apps.MapPost("/validate", ValidateAsync).IsLocalWrite("changes nothing").WithName("ValidateApp")
            .WithSummary("Says everything that is wrong with a manifest, or what installing it would do, and changes nothing.");
        apps.MapPost("/import", ImportAsync).IsLocalWrite("changes nothing").WithName("ImportCompose")
            .WithSummary("Makes a manifest of a compose file and says what became of each of its keys. Installs nothing, fetches nothing.");
        apps.MapGet("/schema", () => TypedResults.Text(ManifestSchema.Json, ManifestSchema.ContentType)).WithName("GetManifestSchema")
            .WithSummary("The JSON Schema of manifests, for editors and programs.").Produces(StatusCodes.Status200OK, contentType: ManifestSchema.ContentType);
        apps.MapGet("/{name}/manifest", Read).RequireWriteScope().WithName("ReadAppManifest")
            .WithSummary("An app's manifest as it was given, for a session or a token with scope 'write': its environment may hold passwords. Of generated "
                + "secrets it has the definitions only.").Produces(StatusCodes.Status200OK, contentType: ManifestBody.MediaType);
    }

    private static Results<ContentHttpResult, ProblemHttpResult> Read(string name, AppCatalog catalog) =>
        catalog.Find(name) is { } app ? TypedResults.Text(app.ManifestText, ManifestBody.MediaType) : Problems.NotFound($"app '{name}'");

    private static async Task<Results<Ok<Envelope<ValidManifestResponse>>, ProblemHttpResult>> ValidateAsync(
        ManifestBody body, AppCatalog catalog, CancellationToken cancellationToken)
    {
        var (result, _, problem) = await body.ParseAsync(cancellationToken);
        if (result?.Manifest is not { } manifest) return problem!;
        var changes = ManifestChanges.Between(catalog.Find(manifest.Name)?.Manifest, manifest);
        return TypedResults.Ok(new Envelope<ValidManifestResponse>(
            new ValidManifestResponse(true, NormalManifest.Write(manifest), result.Warnings, changes, ManifestGrants.Of(manifest)), "valid"));
    }

    private static async Task<Results<Ok<Envelope<ComposeImportResponse>>, ProblemHttpResult>> ImportAsync(
        ComposeBody body, CancellationToken cancellationToken)
    {
        var (source, problem) = await body.ReadAsync(cancellationToken);
        if (source is null) return problem!;
        var result = ComposeImporter.Import(source);
        return TypedResults.Ok(new Envelope<ComposeImportResponse>(
            new ComposeImportResponse(result.Outcome, result.Manifest, result.Report, result.Questions, result.MissingFiles, result.Grants),
                "nothing installed"));
    }
}
