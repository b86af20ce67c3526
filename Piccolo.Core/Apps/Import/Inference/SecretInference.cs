using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Fields;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>
/// Poor passwords become secrets that the box makes up. The same one in several services stays the same, inside URLs and commands too. A value that somebody
/// chose is kept.
/// </summary>
internal static partial class SecretInference
{
    public static void Run(ImportContext context)
    {
        foreach (var service in context.App.Services)
            foreach (var variable in service.Environment) context.Words.Know(variable.Name, variable.Text);
        foreach (var service in context.App.Services)
            foreach (var variable in service.Environment.ToList()) Replace(context, service, variable);
        foreach (var service in context.App.Services)
        {
            foreach (var variable in service.Environment) InUrl(context, variable);
            service.Command = service.Command is { } command ? InWords(context, command) : null;
            if (service.Health is { Command: { } test } health) service.Health = health with { Command = InWords(context, test) };
        }
        var users = context.App.Services.SelectMany(s => s.Environment.Select(v => v.Text).Concat(s.Command ?? []).SelectMany(References.SecretsIn)
            .Distinct().Select(secret => (Secret: secret, Service: s))).ToLookup(u => u.Secret, u => u.Service, StringComparer.Ordinal);
        foreach (var service in context.App.Services.Where(s => KnownStores.IsStore(s.Image))) Keep(context, service, users);
        foreach (var service in context.App.Services) Report(context, service);
    }

    /// <summary>A database's password that no other service of the file has stands in one that the app brings along: it stays what it is.</summary>
    private static void Keep(ImportContext context, ServicePlan store, ILookup<string, ServicePlan> users)
    {
        var literals = context.Literals.GroupBy(l => l.Value, StringComparer.Ordinal).ToDictionary(l => l.Key, l => l.First().Key, StringComparer.Ordinal);
        foreach (var variable in store.Environment)
        {
            if (References.SecretOf(variable.Text) is not { } secret || variable.Name.Contains("ROOT", StringComparison.OrdinalIgnoreCase)) continue;
            if (!literals.TryGetValue(secret, out var literal) || users[secret].Any(s => s != store)) continue;
            variable.Text = literal;
            context.Report.Add(variable.Path, variable.Line, ImportVerdict.Dropped,
                "It stays as it is: the other services know it without the file saying so.");
        }
    }

    private static void Replace(ImportContext context, ServicePlan service, Variable variable)
    {
        if (FromFile(context, service, variable) || References.Any(variable.Text) || !SecretNames.IsGenerated(variable.Name)) return;
        if (variable.Text.Length == 0 ? !SecretNames.IsPassword(variable.Name) && !IsKeyOfItsOwn(variable.Name)
            : !context.Words.IsPlaceholder(variable.Text, variable.Name) && !context.Literals.ContainsKey(variable.Text)) return;
        if (SecretNames.Plan(context, variable.Name, variable.Text) is not { } secret) return;
        variable.Text = References.Secret(secret);
    }

    /// <summary>The official images read a password from the file that <c>NAME_FILE</c> names, or from <c>NAME</c>.</summary>
    private static bool FromFile(ImportContext context, ServicePlan service, Variable variable)
    {
        if (!variable.Name.EndsWith("_FILE", StringComparison.Ordinal) || !variable.Text.StartsWith(SecretKeys.Folder, StringComparison.Ordinal)) return false;
        var name = variable.Name[..^"_FILE".Length];
        if (service.Find(name) is not null || SecretNames.Plan(context, variable.Text[SecretKeys.Folder.Length..], "") is not { } secret) return false;
        service.Environment[service.Environment.IndexOf(variable)] = new Variable(name, variable.Path, variable.Line) { Text = References.Secret(secret) };
        return true;
    }

    private static void InUrl(ImportContext context, Variable variable)
    {
        if (!variable.Text.Contains("://", StringComparison.Ordinal)) return;
        variable.Text = UserInfoPattern().Replace(variable.Text, match => context.Literals.TryGetValue(match.Groups["password"].Value, out var secret)
            ? match.Groups["before"].Value + References.Secret(secret) + "@" : match.Value);
    }

    /// <summary>Behind <c>--password</c> and the like, in the same word or as the next one.</summary>
    private static List<string> InWords(ImportContext context, List<string> words) =>
        [.. words.Select((word, i) => i > 0 && OptionPattern().IsMatch(words[i - 1]) && context.Literals.TryGetValue(word, out var secret)
            ? References.Secret(secret) : InArgument(context, word))];

    private static string InArgument(ImportContext context, string word) =>
        ArgumentPattern().Replace(word, match => context.Literals.TryGetValue(match.Groups["password"].Value, out var secret)
            ? match.Groups["before"].Value + References.Secret(secret) : match.Value);

    private static void Report(ImportContext context, ServicePlan service)
    {
        // What the import itself added stands nowhere in the file.
        foreach (var variable in service.Environment.Where(v => v.Path != service.Field.Path))
        {
            if (References.SecretOf(variable.Text) is { } secret)
            {
                if (variable.Name == "APP_KEY" && context.App.Secrets[secret].Alphabet == "base64") Laravel(context, service, variable, secret);
                context.Report.Add(variable.Path, variable.Line, ImportVerdict.Translated, "The box makes the secret up and keeps it.", $"secrets.{secret}");
            }
            else if (References.Any(variable.Text))
                context.Report.Add(variable.Path, variable.Line, ImportVerdict.Translated, "Parts of it are values of the box.",
                    $"environment.{variable.Name}");
            else if (SecretNames.IsPassword(variable.Name) && variable.Text.Length > 2)
                context.Report.Add(variable.Path, variable.Line, ImportVerdict.Translated,
                    "Somebody seems to have chosen this secret: it is kept, and readable in the manifest.",
                    $"environment.{variable.Name}");
        }
    }

    /// <summary>Laravel's keys say how they are written; Firefly III takes 32 characters as they are.</summary>
    private static void Laravel(ImportContext context, ServicePlan service, Variable variable, string secret)
    {
        if (service.Image.Contains("firefly", StringComparison.Ordinal)) context.App.Secrets[secret] = new SecretPlan("alnum", 32);
        else variable.Text = "base64:" + variable.Text;
    }

    private static bool IsKeyOfItsOwn(string variable) => OwnKeyPattern().IsMatch(variable);

    [GeneratedRegex("(?:SECRET|SECRET_KEY|KEY_BASE|APP_KEY|ENCRYPTION_KEY|SESSION_KEY)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex OwnKeyPattern();

    [GeneratedRegex(@"(?<before>://[^:/@\s]{0,64}:)(?<password>[^@/\s]{1,128})@", RegexOptions.CultureInvariant)]
    private static partial Regex UserInfoPattern();

    [GeneratedRegex(@"^--?(?:requirepass|pass|password|a|p)\z", RegexOptions.CultureInvariant)]
    private static partial Regex OptionPattern();

    [GeneratedRegex(@"(?<before>--?(?:requirepass|pass|password|a|p)[ =]?[""']?)(?<password>[A-Za-z0-9_.-]{3,128})", RegexOptions.CultureInvariant)]
    private static partial Regex ArgumentPattern();
}
