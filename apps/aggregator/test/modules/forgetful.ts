export default function forgetful(): void {
  // Forgets to return its flow.
}
