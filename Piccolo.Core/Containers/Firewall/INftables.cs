namespace Piccolo.Core.Containers.Firewall;

/// <summary>What nft said to a text.</summary>
/// <param name="IsDone">False: nothing of the text was done.</param>
/// <param name="Text">Its answer, or why not.</param>
internal readonly record struct NftAnswer(bool IsDone, string Text);

/// <summary>The host's packet filter. Bounded in time; only cancellation throws.</summary>
internal interface INftables
{
    /// <param name="commands">JSON, as <c>nft --json --file -</c> takes it; something of it asks for an answer.</param>
    Task<NftAnswer> RunAsync(string commands, CancellationToken cancellationToken);
}
