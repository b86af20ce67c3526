namespace Piccolo.Core.Vault;

/// <summary>
/// What a new password must be: ten characters at least, and hard to guess by the measure of zxcvbn. Says what to do when it is not. Thread-safe.
/// </summary>
public static class PasswordPolicy
{
    public const int MinLength = 10;
    public const int MinScore = 3;

    // The estimate grows with the square of the length; a password whose first hundred characters are weak is refused as a whole.
    private const int JudgedLength = 100;

    private const string Phrase = "Four or more words that have nothing to do with each other are strong and easy to remember.";
    private static readonly string[] OwnWords = ["piccolo", "appliance", "admin", "owner"];
    private static readonly Lock Gate = new();

    // Its dictionaries take 9 MB, and are read again in a tenth of a second: passwords are chosen once in years.
    private static readonly WeakReference<Zxcvbn.Zxcvbn?> Estimator = new(null);

    /// <returns>Null when the password is good enough, else one sentence of advice or two, which quotes nothing of it.</returns>
    public static string? Advise(string password)
    {
        if (password.EnumerateRunes().Count() < MinLength) return $"Use at least {MinLength} characters. {Phrase}";
        lock (Gate)
        {
            if (!Estimator.TryGetTarget(out var estimator)) Estimator.SetTarget(estimator = new Zxcvbn.Zxcvbn());
            var estimate = estimator.EvaluatePassword(password.Length <= JudgedLength ? password : password[..JudgedLength], OwnWords);
            return estimate.Score >= MinScore ? null : $"{Reason(estimate)} {Phrase}";
        }
    }

    /// <summary>The longest part of the password that has a pattern is what makes it weak.</summary>
    private static string Reason(Zxcvbn.Result estimate)
    {
        var weakest = estimate.MatchSequence.Where(m => m.Pattern != "bruteforce").MaxBy(m => m.Token.Length);
        return weakest?.Pattern switch
        {
            "dictionary" => "It is made of a common word, name or password, perhaps with some letters replaced; attackers try those first.",
            "spatial" => "It follows a row or pattern of the keyboard.",
            "repeat" => "It repeats the same characters.",
            "sequence" => "It contains a sequence such as abc or 123.",
            "date" or "year" => "It contains a date or a year.",
            "digits" => "It is mostly digits.",
            _ => "It is easy to guess.",
        };
    }
}
